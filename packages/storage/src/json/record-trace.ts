//   state file, up to the record ──> every segment the manifest names ──> the record as of the last batch
//   Nothing is locked or written, and nothing else is kept in memory. Files that a checkpoint replaced
//   meanwhile: once more.
import type { KeyItem } from '../changes/index.ts';
import { isTandemError, TandemError } from '../errors.ts';
import type { ScanEntry } from '../store.ts';
import type { JournalChange, JsonRecords, JsonTrace, RecordName } from '../xray/index.ts';
import { type FileSystem, realFileSystem } from './file-system.ts';
import { type Layout, layoutOf } from './layout.ts';
import { SLICE_BYTES } from './line-codec.ts';
import { type Manifest, readManifest, type SegmentMark } from './manifest.ts';
import { damagedSegment, readHeader, scanBatches } from './segment-scan.ts';
import { findInState } from './state-file.ts';
import { openIfPresent, storageError } from './whole-file.ts';

/** Checkpoints that may replace the files under one look before it gives up. */
const LOOKS_MAX = 10;
/** Changes of one record that are shown; of more, the latest. */
const CHANGES_MAX = 200;

type Batch = Parameters<Parameters<typeof scanBatches>[3]>[0];

/**
 * Looks up single records in the files of a JSON store, beside the process that holds it: at the cost
 * of one reading of the files, and of no memory.
 */
export function jsonRecords(
  directory: string,
  fileSystem: FileSystem = realFileSystem,
): JsonRecords {
  const layout = layoutOf(directory);
  const manifestNow = async (): Promise<Manifest> => {
    const manifest = await readManifest(fileSystem, layout);
    if (manifest !== undefined) return manifest;
    throw new TandemError('unavailable', `There is no JSON store in ${directory} yet.`);
  };
  const traceNow = async (record: RecordName): Promise<JsonTrace> => {
    try {
      for (let looks = 1; ; looks++) {
        const manifest = await manifestNow();
        try {
          return await new Trace(fileSystem, layout, record).of(manifest);
        } catch (error) {
          if (!isTandemError(error, 'refused-to-open') || looks === LOOKS_MAX) throw error;
          if (filesOf(manifest) === filesOf(await manifestNow())) throw error;
        }
      }
    } catch (error) {
      throw storageError(`reading ${directory}`, error);
    }
  };
  let last: Promise<unknown> = Promise.resolve();
  return {
    trace(record) {
      // One at a time: whoever asks often waits for himself, and requests for at most one of them.
      const mine = last.then(() => traceNow(record));
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}

const filesOf = ({ checkpoint, segments }: Manifest): string =>
  [checkpoint.number, ...segments.map(({ number, length }) => `${number}:${length}`)].join(' ');

class Trace {
  readonly #fileSystem: FileSystem;
  readonly #layout: Layout;
  readonly #record: RecordName;
  #changes: JournalChange[] = [];
  readonly #keys = new Map<string, KeyItem>();

  constructor(fileSystem: FileSystem, layout: Layout, record: RecordName) {
    this.#fileSystem = fileSystem;
    this.#layout = layout;
    this.#record = record;
  }

  async of(manifest: Manifest): Promise<JsonTrace> {
    const { storeId, checkpoint, segments } = manifest;
    const identity = { storeId, number: checkpoint.number };
    const path = this.#layout.state(checkpoint.number);
    const kept = await findInState(this.#fileSystem, path, identity, this.#record);
    let entry: ScanEntry | undefined;
    let fits = true;
    if (kept !== undefined) {
      const { id, epoch, version, text, misfit } = kept;
      entry = { id, epoch, version, text };
      fits = !misfit;
    }
    for (const [at, mark] of segments.entries()) {
      const isLast = at === segments.length - 1;
      await this.#scan(storeId, mark, isLast, (batch) => {
        for (const item of batch) {
          if (item.kind !== 'item' || item.item.kind !== 'change') continue;
          const { change } = item.item;
          if (change.collection !== this.#record.collection || change.id !== this.#record.id) {
            continue;
          }
          this.#keep({ seq: item.seq ?? null, change }, batch);
          // What stands before the checkpoint is in the state file, in its last form.
          if (mark.number < checkpoint.replayFrom) continue;
          const { id, epoch, version, record: text } = change;
          entry = { id, epoch, version, text };
          fits = item.fits;
        }
      });
    }
    const keys = [...this.#keys.values()];
    return { phase: manifest.phase, entry, fits, changes: this.#changes, keys };
  }

  #keep(one: JournalChange, batch: Batch): void {
    this.#changes.push(one);
    if (this.#changes.length > 2 * CHANGES_MAX) this.#changes = this.#changes.slice(-CHANGES_MAX);
    const name = one.change.idempotencyKey;
    if (name === undefined) return;
    // A key commits with the changes it named.
    for (const item of batch) {
      if (item.kind !== 'item' || item.item.kind !== 'key') continue;
      if (item.item.key.key === name) this.#keys.set(name, item.item.key);
    }
    const [oldest] = this.#keys.keys();
    if (this.#keys.size > CHANGES_MAX && oldest !== undefined) this.#keys.delete(oldest);
  }

  async #scan(
    storeId: string,
    mark: SegmentMark,
    isLast: boolean,
    visit: (batch: Batch) => void,
  ): Promise<void> {
    const path = this.#layout.segment(mark.number);
    const file = await openIfPresent(this.#fileSystem, path);
    if (file === undefined) throw damagedSegment(path, 0, 'it is gone.');
    try {
      const header = await readHeader(file, path, { storeId, number: mark.number });
      const from = { ...mark.start, ...header };
      const until = isLast ? undefined : mark.length;
      const { position, problem } = await scanBatches(file, path, from, visit, until, SLICE_BYTES);
      // Behind the last segment's mark a batch may be being written at this moment.
      if (position.offset >= mark.length) return;
      throw damagedSegment(
        path,
        problem?.offset ?? position.offset,
        problem?.reason ?? 'it is short.',
      );
    } finally {
      await file.close();
    }
  }
}
