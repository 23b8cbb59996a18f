import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { silentLog } from '@tandem/storage/log';
import { createQueueClient, QUEUES } from '@tandem/storage/replication';
import { firePosts } from '../api/cannon.ts';
import { DualServices } from '../api/dual-services.ts';
import type { Service } from '../api/service.ts';
import type { Profile } from '../profile.ts';
import { type Result, result, spellAll } from '../result.ts';
import { inTurns, ratiosOf } from '../turns.ts';

const EMPTY_DRAIN = join(import.meta.dirname, '..', 'loops', 'empty-drain.ts');
const GRAPHILE_DRAIN = join(import.meta.dirname, '..', 'peers', 'graphile-drain.ts');
const GRAPHILE_DATABASE = 'graphile';
/** It takes its jobs one by one: of a tenth of them its rate is known as well. */
const GRAPHILE_SHARE = 0.1;
const GRAPHILE_CONCURRENCY = 10;
const EMPTY_QUEUE = 'bench-empty';
/** As many as the worker takes at once. */
const BATCH_JOBS = 1_000;
/** The server does so by itself within a minute; until then it may plan pg-boss's fetch badly. */
const ANALYZE = 'ANALYZE';
const POLL_MS = 50;
const JOBS_AT_ONCE = 2_000;

/** How fast the worker works off a backlog, against pg-boss with nothing to do for the same jobs. */
export async function drain(profile: Profile, folder: string): Promise<Result[]> {
  const tandem = await DualServices.prepare(join(folder, 'drain'), 0);
  const queues = createQueueClient({ pool: tandem.pool, role: 'enqueue', log: silentLog });
  try {
    const api = await tandem.startApi();
    const boss = await queues.ready();
    await boss.createQueue(EMPTY_QUEUE, { policy: 'standard' });
    await tandem.pool.query('CREATE TABLE bench_jobs (data jsonb)');
    await tandem.pool.query(`CREATE DATABASE ${GRAPHILE_DATABASE}`);
    const measured = await inTurns(profile.longTurns, {
      worker: async () => {
        await gatherBacklog(tandem, api, profile);
        await tandem.pool.query(ANALYZE);
        const worker = await tandem.startWorker();
        const rate = await drainRate(tandem, QUEUES.postgres);
        await worker.stop();
        return rate;
      },
      alone: async () => {
        const { rows } = await tandem.pool.query<{ data: object }>('SELECT data FROM bench_jobs');
        for (let at = 0; at < rows.length; at += JOBS_AT_ONCE) {
          await boss.insert(EMPTY_QUEUE, rows.slice(at, at + JOBS_AT_ONCE));
        }
        await tandem.pool.query(ANALYZE);
        const args = [EMPTY_DRAIN, tandem.url, EMPTY_QUEUE, String(BATCH_JOBS)];
        const [rate] = await Promise.all([
          drainRate(tandem, EMPTY_QUEUE),
          promisify(execFile)(process.execPath, args),
        ]);
        await boss.deleteAllJobs(EMPTY_QUEUE);
        return rate;
      },
      graphile: () => graphileRate(tandem, profile),
    });
    const unit = ' jobs/s';
    return [
      result(
        `the worker works off ${profile.backlog.toLocaleString('en')} changes, over pg-boss alone with an empty handler`,
        { relation: '≥', value: 0.6 },
        ratiosOf(measured.worker, measured.alone),
        `${spellAll(measured.worker, unit)}; alone ${spellAll(measured.alone, unit)}; graphile-worker with an empty task, ${GRAPHILE_CONCURRENCY} at once ${spellAll(measured.graphile, unit)}`,
      ),
    ];
  } finally {
    await queues.stop();
    await tandem.stop();
  }
}

/** What people use instead of pg-boss: jobs a second of graphile-worker with nothing to do. */
async function graphileRate({ pool, url }: DualServices, { backlog }: Profile): Promise<number> {
  const { rows } = await pool.query<{ data: object }>('SELECT data FROM bench_jobs LIMIT 1');
  const database = new URL(url);
  database.pathname = `/${GRAPHILE_DATABASE}`;
  const variables = {
    DATABASE_URL: database.href,
    JOBS: String(Math.ceil(backlog * GRAPHILE_SHARE)),
    CONCURRENCY: String(GRAPHILE_CONCURRENCY),
    PAYLOAD: JSON.stringify(rows[0]?.data ?? {}),
  };
  const env = { ...process.env, ...variables };
  const { stdout } = await promisify(execFile)(process.execPath, [GRAPHILE_DRAIN], { env });
  const drained = /^drained ([\d.]+) jobs\/s$/m.exec(stdout);
  if (drained === null) throw new Error(`graphile-worker did not drain: ${stdout}`);
  return Number(drained[1]);
}

/** Writes until so many changes wait in the queue; nobody works it. */
async function gatherBacklog(
  tandem: DualServices,
  api: Service,
  { backlog, apiSeconds }: Profile,
): Promise<void> {
  while ((await waiting(tandem, QUEUES.postgres)) < backlog) {
    await firePosts(api.origin, Math.max(1, apiSeconds));
    await tandem.relayed(api.origin);
  }
  // What pg-boss alone is given; what is above the backlog is worked off all the same.
  await tandem.pool.query('TRUNCATE bench_jobs');
  await tandem.pool.query(
    `INSERT INTO bench_jobs SELECT data FROM pgboss.job
     WHERE name = '${QUEUES.postgres}' AND state = 'created'`,
  );
}

async function waiting({ pool }: DualServices, queue: string): Promise<number> {
  const { rows } = await pool.query<{ jobs: number }>(
    `SELECT count(*)::int AS jobs FROM pgboss.job WHERE name = $1 AND state <= 'active'`,
    [queue],
  );
  return rows[0]?.jobs ?? 0;
}

/** Jobs a second, from the first that is gone until the last: a process takes its time to start. */
async function drainRate(tandem: DualServices, queue: string): Promise<number> {
  const all = await waiting(tandem, queue);
  let beganMs = performance.now();
  for (let left = all; left > 0; left = await waiting(tandem, queue)) {
    if (left === all) beganMs = performance.now();
    await sleep(POLL_MS);
  }
  return (all / (performance.now() - beganMs)) * 1_000;
}
