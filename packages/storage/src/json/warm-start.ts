//   a follower's memory ──lock taken──> follow the manifest to the end of the journal, then ask
//     · do the store's openings go on from what was followed?   no other life of it was in between
//     · does the last segment, by its name, lead to this very place?   it was not replaced
//     yes ──> recovery goes on from there      any doubt ──> recovery reads everything
import type { JsonSession } from '../phase/index.ts';
import type { JsonSnapshot, SnapshotPlace } from './json-snapshot.ts';
import type { Manifest, SegmentMark } from './manifest.ts';
import type { Memory } from './memory.ts';
import type { OpenContext } from './open-context.ts';
import type { SeenFiles } from './seen-files.ts';
import { type Position, readHeader, scanBatches } from './segment-scan.ts';
import { openIfPresent } from './whole-file.ts';

/** What recovery would have read: everything up to a place in the last segment, at or behind its mark. */
export interface WarmStart {
  readonly memory: Memory;
  readonly position: Position;
  /** Where the last segment's first batch begins. */
  readonly headerEnd: number;
  readonly files: SeenFiles;
}

/**
 * The memory of a follower, if it is beyond doubt what recovery would bring back. Called under the
 * store's lock, so nothing changes meanwhile. The snapshot is closed, whatever comes of it.
 */
export async function warmStart(
  context: OpenContext,
  manifest: Manifest,
  snapshot: JsonSnapshot,
  files: SeenFiles,
): Promise<WarmStart | undefined> {
  const before = snapshot.place;
  const goesOn =
    before !== undefined &&
    goesOnFrom(before, manifest.phase.lineage ?? []) &&
    before.manifest.storeId === manifest.storeId;
  const place = goesOn ? await snapshot.handOver(manifest) : await snapshot.close();
  const last = manifest.segments.at(-1);
  if (place === undefined || last === undefined || place.segment !== last.number) return undefined;
  const headerEnd = await leadsTo(context, manifest.storeId, last, place.position);
  if (headerEnd === undefined) return undefined;
  return { memory: place.memory, position: place.position, headerEnd, files };
}

/**
 * Whether every opening that the follower has not seen began with all it had read. An older copy of the
 * folder that was put back, and opened, began with less.
 */
function goesOnFrom({ manifest, position }: SnapshotPlace, now: readonly JsonSession[]): boolean {
  const last = manifest.phase.lineage?.at(-1);
  const index = now.findIndex(({ id }) => id === last?.id);
  return index >= 0 && now.slice(index + 1).every(({ batch }) => batch >= position.batch);
}

/**
 * Whether the segment, read by its name from its mark on, arrives at exactly this place: the chain of
 * checksums then says that all before it is the same.
 * @returns the end of its header; `undefined` when it does not
 */
async function leadsTo(
  { fileSystem, layout }: OpenContext,
  storeId: string,
  mark: SegmentMark,
  place: Position,
): Promise<number | undefined> {
  if (place.offset < mark.length) return undefined;
  const path = layout.segment(mark.number);
  const file = await openIfPresent(fileSystem, path);
  if (file === undefined) return undefined;
  try {
    const header = await readHeader(file, path, { storeId, number: mark.number });
    const from = { ...mark, offset: mark.length };
    const { position } = await scanBatches(file, path, from, () => {}, place.offset);
    const arrives =
      position.offset === place.offset &&
      position.checksum === place.checksum &&
      position.batch === place.batch &&
      position.seq === place.seq;
    return arrives ? header.offset : undefined;
  } finally {
    await file.close();
  }
}
