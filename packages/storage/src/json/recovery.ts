//   manifest ──> state file ──> whole segments from `replayFrom` on ──> last segment:
//     header … mark │ batches behind the mark │ torn tail
//     must be whole   copied to a new segment   kept aside, cut
//   The numbered steps stand in docs/json-format.md.
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { adoptLate, lookAtFiles } from './file-check.ts';
import type { OpenFile } from './file-system.ts';
import { Journal } from './journal.ts';
import { fileInstant, OWN_FILE } from './layout.ts';
import { scanLines } from './line-codec.ts';
import { catchUp, type Manifest, type SegmentMark, writeManifest } from './manifest.ts';
import { Memory } from './memory.ts';
import type { OpenContext, Recovered, RecoveryReport } from './open-context.ts';
import {
  damagedSegment,
  laterBatch,
  type Position,
  readHeader,
  type SegmentScan,
  scanBatches,
} from './segment-scan.ts';
import { readState } from './state-file.ts';
import { damageOfTail, withoutRoom } from './torn-tail.ts';
import type { WarmStart } from './warm-start.ts';
import {
  hashFile,
  openIfPresent,
  readRange,
  refusal,
  removeIfPresent,
  writeSynced,
} from './whole-file.ts';

type Items = Parameters<Parameters<typeof scanBatches>[3]>[0];

/**
 * Brings a store back from disk.
 * @param options.trustFiles `false` after a failed sync: the last segment is not written to again
 * @param options.warm what was read before the lock was taken; all rules are the same with it
 * @throws {TandemError} `refused-to-open` when something is damaged (I12)
 */
export async function recover(
  context: OpenContext,
  manifest: Manifest,
  { trustFiles, warm }: { readonly trustFiles: boolean; readonly warm?: WarmStart | undefined },
): Promise<Recovered> {
  const { fileSystem, layout, collections } = context;
  const { storeId } = manifest;
  const { replayFrom } = manifest.checkpoint;
  // A killed process may have renamed what it read, or the manifest itself, without syncing it: what
  // is built on here must not go back to what it replaced.
  await fileSystem.syncDirectory(layout.tandem);
  await fileSystem.syncDirectory(layout.directory);
  const read = warm === undefined ? await readCheckpoint(context, manifest) : undefined;
  const memory = read?.memory ?? (warm as WarmStart).memory;
  // A follower is warm only if it found every collection in the state that it began with.
  const held = read?.held ?? new Set(collections.map(({ name }) => name));
  const late = await adoptLate(context, manifest, memory, held);
  const { files, behind } = await lookAtFiles(context, manifest, held, {
    hash: (path) => warm?.files.hash(path) ?? hashFile(fileSystem, path),
    // Nothing is replayed into what was read until this is done.
    base: async () => (read ?? (await readCheckpoint(context, manifest))).memory,
  });

  let replayed = 0;
  const replay = (items: Items): void => {
    replayed += items.length;
    for (const item of items) replayItem(memory, item);
  };
  const last = manifest.segments.at(-1);
  if (last === undefined) throw refusal(layout.manifest, 'it names no journal segment.', RESTORE);
  for (const mark of manifest.segments.slice(0, -1)) {
    const isRead = warm !== undefined || mark.number < replayFrom;
    if (isRead) await assertAsLong(context, mark);
    else await replaySealed(context, storeId, mark, replay);
  }
  const tail = await replayLast(context, storeId, last, replay, warm);
  const journal = await continueJournal(context, storeId, last, tail, trustFiles);
  const segments = journal.mark.number === last.number ? [] : tail.sealed ? [last] : [];
  const next: Manifest = {
    ...manifest,
    // Late adopted records are in no outbox: the secondary gets them by difference.
    phase: late.some(([, hash]) => hash !== null)
      ? catchUp(manifest.phase, context)
      : manifest.phase,
    files: { ...files, ...Object.fromEntries(late) },
    pending: null,
    segments: [...manifest.segments.slice(0, -1), ...segments, journal.mark],
    filesBehind: manifest.filesBehind || behind || late.length > 0,
  };
  // A store that was closed cleanly is opened without a write: also on a full disk.
  if (!isDeepStrictEqual(next, manifest)) await writeManifest(fileSystem, layout, next);
  await removeUnnamed(context, next);
  const report: RecoveryReport = {
    ...{ created: false, adopted: late.length > 0, idsGiven: {}, replayed },
    warm: warm !== undefined,
    ...(tail.torn === undefined ? {} : { torn: tail.torn }),
  };
  return { memory, journal, manifest: next, report, checkpointNow: late.length > 0 };
}

const RESTORE = 'Keep a copy of this folder and restore it from a backup.';

/** What the checkpoint in force holds. */
async function readCheckpoint(
  { fileSystem, layout, collections }: OpenContext,
  { storeId, checkpoint: { number } }: Manifest,
): Promise<{ memory: Memory; held: ReadonlySet<string> }> {
  const memory = new Memory(collections);
  const held = await readState(fileSystem, layout.state(number), { storeId, number }, memory);
  return { memory, held };
}

/** Puts one replayed payload into memory. */
export function replayItem(memory: Memory, payload: Items[number]): void {
  if (payload.kind === 'ids') {
    for (const [name, mark] of Object.entries(payload.marks)) {
      const table = memory.table(name);
      table.highWater = Math.max(table.highWater, mark);
    }
  } else if (payload.item.kind === 'key') {
    memory.keys.put(payload.item.key);
  } else {
    const { change } = payload.item;
    const table = memory.table(change.collection);
    table.put(table.entry(change.id, change, change.record), payload.fits);
  }
}

const startOf = (mark: SegmentMark, header: { offset: number; checksum: number }): Position => ({
  ...header,
  ...mark.start,
});

/** Replays a segment up to its mark; every byte of that was durable. */
async function replayToMark(
  file: OpenFile,
  path: string,
  storeId: string,
  mark: SegmentMark,
  replay: (items: Items) => void,
): Promise<{ headerEnd: number; position: Position }> {
  const header = await readHeader(file, path, { storeId, number: mark.number });
  const scan = await scanBatches(file, path, startOf(mark, header), replay, mark.length);
  const { position, problem } = scan;
  const whole =
    position.offset === mark.length &&
    position.checksum === mark.checksum &&
    position.batch === mark.batch &&
    position.seq === mark.seq;
  if (whole) return { headerEnd: header.offset, position };
  const reason = problem?.reason ?? 'it is not what was written there.';
  throw damagedSegment(path, problem?.offset ?? position.offset, reason);
}

async function open(context: OpenContext, mark: SegmentMark): Promise<OpenFile> {
  const path = context.layout.segment(mark.number);
  const file = await openIfPresent(context.fileSystem, path);
  if (file === undefined) throw refusal(path, 'this journal segment is missing.', RESTORE);
  return file;
}

async function replaySealed(
  context: OpenContext,
  storeId: string,
  mark: SegmentMark,
  replay: (items: Items) => void,
): Promise<void> {
  const file = await open(context, mark);
  try {
    await replayToMark(file, context.layout.segment(mark.number), storeId, mark, replay);
  } finally {
    await file.close();
  }
}

/** A segment kept for the outbox alone is read when the relay asks for it; here its length must do. */
async function assertAsLong(context: OpenContext, mark: SegmentMark): Promise<void> {
  const file = await open(context, mark);
  try {
    const bytes = await file.size();
    if (bytes >= mark.length) return;
    const path = context.layout.segment(mark.number);
    throw damagedSegment(path, bytes, `it had ${mark.length} bytes when it was synced.`);
  } finally {
    await file.close();
  }
}

interface Tail {
  /** Batches behind the mark, as payloads. */
  readonly payloads: readonly Uint8Array[];
  readonly position: Position;
  /** Whether the old segment holds batches up to its mark. */
  readonly sealed: boolean;
  readonly torn?: { readonly bytes: number; readonly keptAt: string };
}

async function replayLast(
  context: OpenContext,
  storeId: string,
  mark: SegmentMark,
  replay: (items: Items) => void,
  warm: WarmStart | undefined,
): Promise<Tail> {
  const { layout } = context;
  const path = layout.segment(mark.number);
  const file = await open(context, mark);
  try {
    const known =
      warm === undefined
        ? await replayToMark(file, path, storeId, mark, replay)
        : { headerEnd: warm.headerEnd, position: { ...mark, offset: mark.length } };
    const scan = await scanBatches(file, path, warm?.position ?? known.position, replay);
    const torn = await cutTornTail(context, file, path, mark.number, scan);
    const { position } = scan;
    const payloads: Uint8Array[] = [];
    const visit = (line: { buffer: Buffer; from: number; to: number }): undefined => {
      payloads.push(Uint8Array.prototype.slice.call(line.buffer, line.from, line.to));
    };
    if (position.offset > mark.length) {
      await scanLines(file, known.position, visit, position.offset);
    }
    const sealed = mark.length > known.headerEnd;
    return { payloads, position, sealed, ...(torn === undefined ? {} : { torn }) };
  } finally {
    await file.close();
  }
}

/** Keeps what follows the last whole batch aside; refuses when it is damage rather than a torn tail. */
async function cutTornTail(
  context: OpenContext,
  file: OpenFile,
  path: string,
  segment: number,
  { position, problem }: SegmentScan,
): Promise<Tail['torn']> {
  if (problem === undefined) return undefined;
  const later = await laterBatch(file, position);
  if (later !== undefined) {
    const reason = `${problem.reason} Batch ${later} behind it is whole, so this was once whole too.`;
    throw damagedSegment(path, problem.offset, reason);
  }
  const bytes = withoutRoom(
    await readRange(file, position.offset, (await file.size()) - position.offset),
  );
  const damage = damageOfTail(bytes, position);
  if (damage !== undefined) {
    const reason = `${damage} All of the last batch arrived on disk, so it was damaged there.`;
    throw damagedSegment(path, problem.offset, reason);
  }
  const keptAt = context.layout.torn(fileInstant(context.now()), segment);
  await writeSynced(context.fileSystem, keptAt, bytes);
  context.log.warn(
    { file: path, offset: position.offset, bytes: bytes.length, keptAt, reason: problem.reason },
    'Cut a torn tail off the journal: a write that was never acknowledged',
  );
  return { bytes: bytes.length, keptAt };
}

/**
 * The segment to write to. A file whose last sync may have failed is not appended to: what stands
 * behind its mark is written anew, and synced, in a new segment.
 */
function continueJournal(
  context: OpenContext,
  storeId: string,
  mark: SegmentMark,
  { payloads, position, torn }: Tail,
  trustFiles: boolean,
): Promise<Journal> {
  if (trustFiles && payloads.length === 0 && torn === undefined) {
    return Journal.resume(context, mark);
  }
  const { batch, seq } = position;
  const identity = { storeId, number: mark.number + 1 };
  const start = { batch: mark.batch, seq: mark.seq };
  return Journal.create(context, identity, start, { payloads, batch, seq });
}

/** Removes what an interrupted checkpoint or recovery left behind. */
async function removeUnnamed(
  { fileSystem, layout }: OpenContext,
  manifest: Manifest,
): Promise<void> {
  const named = new Set([
    layout.state(manifest.checkpoint.number),
    ...manifest.segments.map(({ number }) => layout.segment(number)),
  ]);
  for (const name of await fileSystem.readdir(layout.tandem)) {
    const path = join(layout.tandem, name);
    if (OWN_FILE.test(name) && !named.has(path)) await removeIfPresent(fileSystem, path);
  }
}
