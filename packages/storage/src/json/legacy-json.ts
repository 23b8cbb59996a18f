import { createHash } from 'node:crypto';
import { NESTING_MAX, nestsDeeper } from '../collections/index.ts';
import type { CreateOptions, FileSystem } from './file-system.ts';
import { LegacyLayout } from './legacy-layout.ts';
import type { TableSnapshot } from './record-table.ts';
import { SyncingWriter } from './syncing-writer.ts';
import { TimeSlice } from './time-slice.ts';

/** Bytes collected before they are written. */
const WRITE_BYTES = 1 << 18;
/** How deep a record stands in the file's array. */
const RECORD_DEPTH = 1;

/**
 * Writes and syncs a collection in the legacy shape (I7): one whole array of its live records, pretty,
 * in id order.
 * @returns hex SHA-256 of the file
 */
export async function writeLegacyFile(
  fileSystem: FileSystem,
  path: string,
  options: CreateOptions,
  { byId }: TableSnapshot,
): Promise<string> {
  const hash = createHash('sha256');
  const file = await fileSystem.create(path, options);
  try {
    const out = new SyncingWriter(file);
    const layout = new LegacyLayout();
    const slice = new TimeSlice();
    const write = async (): Promise<void> => {
      const bytes = layout.take();
      hash.update(bytes);
      await out.write(bytes);
    };
    layout.addPlain('[');
    let first = true;
    for (const { text } of byId.values()) {
      if (text === null) continue;
      layout.addPlain(first ? '\n  ' : ',\n  ');
      // Laid out, a deep one would take room by the square of its depth.
      if (nestsDeeper(text, NESTING_MAX)) layout.addPlain(text);
      else layout.addValue(text, RECORD_DEPTH);
      first = false;
      if (layout.bytes >= WRITE_BYTES) await write();
      if (slice.isOver()) await slice.next();
    }
    layout.addPlain(first ? ']\n' : '\n]\n');
    await write();
    await file.fsync();
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}
