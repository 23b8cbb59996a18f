import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Phase } from '@tandem/storage/phase';
import { startBenchServer } from '../api/bench-server.ts';
import { firePosts } from '../api/cannon.ts';
import { withRunning } from '../api/running.ts';
import { TandemSystem } from '../api/tandem-system.ts';
import type { Profile } from '../profile.ts';
import { type Result, result, spellAll } from '../result.ts';
import { inTurns, ratiosOf } from '../turns.ts';

const LAG_WRITES_PER_SECOND = 1_000;
const CALM_WRITES_PER_SECOND = 500;
/** A run at a fixed rate is long enough for a backlog that grows to show. */
const SECONDS_FACTOR = 3;

/** At a fixed rate: how far the secondary is behind, and what dual writing costs a caller. */
export async function replication(profile: Profile, folder: string): Promise<Result[]> {
  return withRunning(async (running) => {
    const server = await running.of(startBenchServer(join(folder, 'replication')));
    const tandem = async (name: string): Promise<TandemSystem> => {
      const directory = join(folder, 'replication', name);
      await mkdir(directory);
      return running.of(TandemSystem.start(directory, await server.database(name), 0));
    };
    const dual = await tandem('dual');
    const only = await tandem('only');
    const seconds = profile.apiSeconds * SECONDS_FACTOR;
    const results: Result[] = [];
    for (const phase of ['json-primary', 'postgres-primary'] as const) {
      await dual.moveTo(phase);
      await firePosts(dual.origin, profile.apiSeconds);
      await dual.settle();
      results.push(...(await lagBars(dual, phase, seconds, profile.longTurns)));
    }
    await dual.moveTo('json-primary');
    await firePosts(only.origin, profile.apiSeconds);
    const calm = { perSecond: CALM_WRITES_PER_SECOND };
    const measured = await inTurns(profile.longTurns * 2 + 1, {
      only: () => firePosts(only.origin, profile.apiSeconds, calm),
      dual: () => firePosts(dual.origin, profile.apiSeconds, calm),
    });
    const p99 = (fired: readonly { readonly p99Ms: number }[]): number[] =>
      fired.map(({ p99Ms }) => p99Ms);
    results.push(
      result(
        'p99 of POST in json-primary at 500/s, over that of json-only',
        { relation: '≤', value: 2 },
        ratiosOf(p99(measured.dual), p99(measured.only)),
        `${spellAll(p99(measured.dual), ' ms')}; json-only ${spellAll(p99(measured.only), ' ms')}`,
      ),
    );
    return results;
  });
}

async function lagBars(
  system: TandemSystem,
  phase: Phase,
  seconds: number,
  turns: number,
): Promise<Result[]> {
  const lags: number[] = [];
  const backlogs: number[] = [];
  for (let turn = 0; turn < turns; turn++) {
    const before = await system.lag();
    await firePosts(system.origin, seconds, { perSecond: LAG_WRITES_PER_SECOND });
    backlogs.push(await system.backlog());
    await system.settle();
    lags.push(p99Of(before, await system.lag()) * 1000);
  }
  return [
    result(
      `replication lag p99 in ${phase} at 1,000 writes/s (upper bound of its bucket)`,
      { relation: '≤', value: 500, unit: ' ms' },
      lags,
      `${seconds} s each`,
    ),
    result(
      `changes the secondary lacks in ${phase} after ${seconds} s of it`,
      { relation: '≤', value: LAG_WRITES_PER_SECOND / 2 },
      backlogs,
      'half a second of writes is no growing backlog',
    ),
  ];
}

/** The upper bound, in seconds, of the bucket that the 99th percentile of what came between lies in. */
function p99Of(before: ReadonlyMap<number, number>, after: ReadonlyMap<number, number>): number {
  const total =
    (after.get(Number.POSITIVE_INFINITY) ?? 0) - (before.get(Number.POSITIVE_INFINITY) ?? 0);
  if (total === 0) throw new Error('Nothing was replicated.');
  for (const [bound, count] of [...after].sort(([a], [b]) => a - b)) {
    if (count - (before.get(bound) ?? 0) >= total * 0.99) return bound;
  }
  return Number.POSITIVE_INFINITY;
}
