import { join } from 'node:path';
import type { Profile } from '../profile.ts';
import { type Result, result, spellAll } from '../result.ts';
import { makeStore } from '../stores/large-store.ts';
import { OpenedStore } from '../stores/opened-store.ts';
import type { Answer } from '../stores/store-process.ts';
import { ratiosOf } from '../turns.ts';
import { WRITERS } from './group-commit.ts';

/** What a checkpoint in the background does to the writes beside it. */
export async function checkpoint(profile: Profile, folder: string): Promise<Result[]> {
  const directory = await makeStore(join(folder, 'checkpoint'), profile.records);
  const store = await OpenedStore.open(directory);
  const work = { op: 'update', records: profile.records } as const;
  const writing = { writers: WRITERS, work };
  await store.ask({ kind: 'write', ...writing, ms: profile.turnMs });
  const beside: Answer[] = [];
  const alone: Answer[] = [];
  for (let turn = 0; turn < profile.longTurns; turn++) {
    const measured = await store.ask({ kind: 'write-and-checkpoint', ...writing });
    beside.push(measured);
    // As long as the checkpoint took: a longest delay grows with the time it is looked for.
    const ms = (measured.written?.seconds ?? 0) * 1_000;
    alone.push(await store.ask({ kind: 'write', ...writing, ms }));
  }
  await store.close();
  const p99 = (answers: Answer[]): number[] => answers.map(({ written }) => written?.p99Ms ?? 0);
  const delay = (answers: Answer[]): number[] => answers.map((one) => one.longestDelayMs ?? 0);
  const seconds = beside.map(({ written }) => written?.seconds ?? 0);
  const added = delay(beside).map((ms, turn) => ms - (delay(alone)[turn] as number));
  return [
    result(
      `p99 of writes beside a checkpoint of ${profile.records.toLocaleString('en')} records, over that without`,
      { relation: '≤', value: 3 },
      ratiosOf(p99(beside), p99(alone)),
      `${spellAll(p99(beside), ' ms')}; without ${spellAll(p99(alone), ' ms')}; it took ${spellAll(seconds, ' s')}`,
    ),
    result(
      'longest delay of the event loop beside it, above that without',
      { relation: '≤', value: 50, unit: ' ms' },
      added,
      `${spellAll(delay(beside), ' ms')}; without ${spellAll(delay(alone), ' ms')}`,
    ),
  ];
}
