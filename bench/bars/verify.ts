import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Collection, loadCollections } from '@tandem/storage/collections';
import { openPostgresStore, type PostgresStore } from '@tandem/storage/postgres';
import { RANGE_IDS } from '@tandem/storage/store';
import { DualServices, until } from '../api/dual-services.ts';
import { forgetHighest, memoryOf } from '../api/process-memory.ts';
import type { Service } from '../api/service.ts';
import { SteadyWrites } from '../loops/steady-writes.ts';
import type { Written } from '../loops/written.ts';
import type { Profile } from '../profile.ts';
import { type Result, result, spellAll } from '../result.ts';
import { inTurns, ratiosOf } from '../turns.ts';

const MEGABYTE = 1e6;
/** Longer than a service waits for any statement. */
const VACUUM_TIMEOUT_MS = 10 * 60_000;
const MIGRATION = '/api/v1/migration';

/** A full verify in the api process that serves, against a digest of one side, and beside writes. */
export async function verify(profile: Profile, folder: string): Promise<Result[]> {
  const { records, longTurns, besideMs } = profile;
  const tandem = await DualServices.prepare(join(folder, 'verify'), records);
  let writes: SteadyWrites | undefined;
  try {
    // It adopts its file and brings PostgreSQL up; what that leaves behind in its memory is not idle.
    const first = await tandem.startApi();
    await until('PostgreSQL is brought up', () => isVerified(tandem, first.origin));
    await first.stop();
    const vacuum = { text: 'VACUUM ANALYZE expenses', query_timeout: VACUUM_TIMEOUT_MS };
    await tandem.pool.query(vacuum);
    const api = await tandem.startApi();
    await tandem.startWorker();
    await fullRun(tandem, api.origin);
    const still = await atRest(tandem, api, profile);
    writes = new SteadyWrites(api.origin, records);
    const measured = await besideWrites(tandem, api, writes, { longTurns, besideMs });
    return [...still, ...measured];
  } finally {
    writes?.stop();
    await tandem.stop();
  }
}

async function atRest(tandem: DualServices, api: Service, profile: Profile): Promise<Result[]> {
  const { records, longTurns } = profile;
  const [expense] = (await loadCollections()).filter(({ name }) => name === 'expense');
  if (expense === undefined) throw new Error('There is no collection expense.');
  const jobs = { insert: async () => {} };
  const postgres = openPostgresStore({ pool: tandem.pool, collections: [expense], jobs });
  const added: number[] = [];
  const measured = await inTurns(longTurns, {
    digest: () => digestMs(postgres, expense, records),
    verify: async () => {
      await forgetHighest(api.pid);
      const before = await memoryOf(api.pid, 'VmRSS');
      const ms = await fullRun(tandem, api.origin);
      added.push((await memoryOf(api.pid, 'VmHWM')) - before);
      return ms;
    },
  });
  await postgres.close();
  const of = records.toLocaleString('en');
  const figures = `${spellAll(measured.verify, ' ms')}; digest ${spellAll(measured.digest, ' ms')}`;
  return [
    result(
      `verify of ${of} equal records, over the SQL digest of one side`,
      { relation: '≤', value: 3 },
      ratiosOf(measured.verify, measured.digest),
      figures,
    ),
    result(
      'memory of the api process beside it (VmHWM), above that before',
      { relation: '≤', value: 300, unit: ' MB' },
      added.map((bytes) => bytes / MEGABYTE),
      `then ${((await memoryOf(api.pid, 'VmRSS')) / MEGABYTE).toFixed(0)} MB in all`,
    ),
  ];
}

async function besideWrites(
  tandem: DualServices,
  { origin }: Service,
  writes: SteadyWrites,
  { longTurns, besideMs }: Pick<Profile, 'longTurns' | 'besideMs'>,
): Promise<Result[]> {
  const runs: number[] = [];
  const startedMs = performance.now();
  await writes.beside(() => fullRun(tandem, origin));
  // As long with as without: what happens once a minute is then met by both.
  const aloneMs = Math.max(besideMs, performance.now() - startedMs);
  const measured = await inTurns(longTurns, {
    alone: () => writes.beside(() => sleep(aloneMs)),
    verify: async () => {
      const written = await writes.beside(async () => {
        const untilMs = performance.now() + besideMs;
        do runs.push(await fullRun(tandem, origin));
        while (performance.now() < untilMs);
      });
      await tandem.drained();
      return written;
    },
  });
  const p99 = (some: readonly Written[]): number[] => some.map(({ p99Ms }) => p99Ms);
  const p50 = (some: readonly Written[]): number[] => some.map(({ p50Ms }) => p50Ms);
  const { alone, verify: beside } = measured;
  const medians = `p50 ${spellAll(p50(beside), ' ms')}; without ${spellAll(p50(alone), ' ms')}`;
  return [
    result(
      'p99 of 300 writes/s beside verifies of it all, over that without',
      { relation: '≤', value: 1.5 },
      ratiosOf(p99(beside), p99(alone)),
      `${spellAll(p99(beside), ' ms')}; without ${spellAll(p99(alone), ' ms')}; ${medians}; a verify beside them took ${spellAll(runs, ' ms')}`,
    ),
  ];
}

/** Digests of all ranges, in one statement. @returns what it took */
async function digestMs(
  postgres: PostgresStore,
  expense: Collection,
  records: number,
): Promise<number> {
  const start = performance.now();
  const digests = await postgres.digests(expense, 0, Math.ceil((records + 1) / RANGE_IDS));
  const counted = digests.reduce((sum, { count }) => sum + count, 0);
  if (counted !== records) throw new Error(`The digest saw ${counted} of ${records} records.`);
  return performance.now() - start;
}

interface Order {
  readonly id: number;
  readonly state: string;
  readonly result: { readonly runId?: number; readonly problem?: string } | null;
}

/** An order for a run over everything, until it has ended. */
async function ordered(tandem: DualServices, origin: string): Promise<Order> {
  const asked = { mode: 'full', reason: 'the bench' };
  let order = (await tandem.ask(origin, `${MIGRATION}/verify`, asked)) as Order;
  await until('the order is carried out', async () => {
    order = (await tandem.ask(origin, `${MIGRATION}/orders/${order.id}`)) as Order;
    return order.state === 'done' || order.state === 'failed';
  });
  return order;
}

/** False while PostgreSQL is brought up by difference. */
const isVerified = async (tandem: DualServices, origin: string): Promise<boolean> =>
  (await ordered(tandem, origin)).state === 'done';

/** A run over everything. @returns what it took @throws {Error} when it found anything */
async function fullRun(tandem: DualServices, origin: string): Promise<number> {
  const { result: ended } = await ordered(tandem, origin);
  if (ended?.runId === undefined) throw new Error(`The verify failed: ${ended?.problem}`);
  const run = (await tandem.ask(origin, `${MIGRATION}/verify/${ended.runId}`)) as {
    readonly outcome: string;
    readonly startedAt: string;
    readonly finishedAt: string;
  };
  if (run.outcome !== 'clean') throw new Error(`The verify ended as ${run.outcome}.`);
  return Date.parse(run.finishedAt) - Date.parse(run.startedAt);
}
