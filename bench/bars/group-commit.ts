import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { loadCollections } from '@tandem/storage/collections';
import { openJsonStore } from '@tandem/storage/json';
import { bareLoop, blockingLoop } from '../loops/bare-loop.ts';
import { recordJournal } from '../loops/journal-recorder.ts';
import { sqliteLoop } from '../loops/sqlite-loop.ts';
import { runWriters } from '../loops/writers.ts';
import type { Profile } from '../profile.ts';
import { type Result, result, spellAll } from '../result.ts';
import { inTurns, ratiosOf } from '../turns.ts';

export const WRITERS = 64;
const CREATE = { op: 'create' } as const;

/** Group commit against a loop that only writes and syncs the same bytes, and against SQLite. */
export async function groupCommit(profile: Profile, folder: string): Promise<Result[]> {
  const directory = await mkdtemp(join(folder, 'group-commit-'));
  const collections = await loadCollections();
  const expense = collections.find(({ name }) => name === 'expense');
  if (expense === undefined) throw new Error('There is no collection expense.');
  const { fileSystem, take } = recordJournal();
  // No checkpoint within the run: it has a bar of its own.
  const never = {
    checkpointAfterBytes: Number.POSITIVE_INFINITY,
    journalBytesMax: Number.POSITIVE_INFINITY,
  };
  const store = await openJsonStore({ directory, collections, fileSystem, ...never });
  await runWriters(store, expense, WRITERS, CREATE, { ms: profile.turnMs });
  let batches: number[] = [];
  let sizes: number[] = [];
  const tandem = async (): Promise<number> => {
    take();
    const { writes, perSecond } = await runWriters(store, expense, WRITERS, CREATE, {
      ms: profile.turnMs,
    });
    batches = take();
    const mean = writes / batches.length;
    sizes = batches.map((_, at) => Math.round((at + 1) * mean) - Math.round(at * mean));
    return perSecond;
  };
  /** What follows does what the turn before did: the same batches of the same bytes. */
  const records = (): number => sizes.reduce((sum, size) => sum + size, 0);
  await tandem();
  let files = 0;
  const fresh = (): string => join(directory, `turn-${++files}`);
  const measured = await inTurns(profile.turns, {
    tandem,
    bare: async () => records() / (await bareLoop(fresh(), batches)),
    reserved: async () => records() / (await bareLoop(fresh(), batches, { reserved: true })),
    blocking: async () => records() / (await blockingLoop(fresh(), batches)),
    sqlite: async () => records() / sqliteLoop(fresh(), sizes),
  });
  await store.close();
  await rm(directory, { recursive: true });
  const perSecond = ' records/s';
  const figures = `${spellAll(measured.tandem, perSecond)}, batches of ${(records() / batches.length).toFixed(1)}`;
  return [
    result(
      'group commit, 64 writers, over a bare write + fdatasync loop',
      { relation: '≥', value: 0.8 },
      ratiosOf(measured.tandem, measured.bare),
      `${figures}; bare ${spellAll(measured.bare, perSecond)}; bare in a file that has its length already ${spellAll(measured.reserved, perSecond)}; bare and blocking ${spellAll(measured.blocking, perSecond)}`,
    ),
    result(
      'group commit, 64 writers, over node:sqlite (WAL, FULL)',
      { relation: '>', value: 1 },
      ratiosOf(measured.tandem, measured.sqlite),
      `SQLite ${spellAll(measured.sqlite, perSecond)}`,
    ),
  ];
}
