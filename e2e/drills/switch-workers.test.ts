// More than one worker around a switch, and one that is stopped in the middle of it.
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { moreWrites, startLoad } from '../load.ts';
import { phaseAt, reach, reached, setFlags } from '../phase-flags.ts';
import { recordPrimaries } from '../primaries-recorder.ts';
import { EXPENSE_ROWS, legacyFile, query } from '../record-client.ts';
import { newMigratedDatabase, startApi, startWorker } from '../services.ts';
import { temporaryFolder } from '../tandem-process.ts';

const WRITERS = 4;
const WRITES_BETWEEN = 60;
const WAIT = { timeout: 60_000, interval: 50 };

const equalAtRest = async (url: string, dataDir: string): Promise<void> =>
  expect(await query(url, EXPENSE_ROWS)).toEqual(
    legacyFile(join(dataDir, 'json'), 'expenses.json'),
  );

/** Nothing waits for a store any more. */
const drained = (url: string): Promise<unknown> =>
  vi.waitUntil(async () => {
    const waiting = `SELECT 1 FROM pgboss.job WHERE name ~ '^write-to-[a-z]+$' AND state < 'completed'`;
    return (await query(url, waiting)).length === 0;
  }, WAIT);

test('I3, I6: two workers, one of them standing by, through a switch and back', async () => {
  const dataDir = temporaryFolder();
  const url = await newMigratedDatabase();
  const variables = { DATA_DIR: dataDir, DATABASE_URL: url };
  const api = await startApi(variables);
  const workers = [startWorker(variables), startWorker(variables)];
  const recorder = recordPrimaries(url, join(dataDir, 'json'));
  // It listens before it is ready, and says so to whoever asks.
  await vi.waitUntil(() => phaseAt(api.origin), WAIT);
  const load = startLoad(api.origin, WRITERS);
  try {
    for (const phase of ['postgres-primary', 'json-primary', 'postgres-primary'] as const) {
      await reach(url, api.origin, phase);
      await moreWrites(load, WRITES_BETWEEN);
    }
    // The one that holds JSON ends: the other takes over.
    await workers[0]?.stop();
    await moreWrites(load, WRITES_BETWEEN);
    await reach(url, api.origin, 'json-primary');
    await moreWrites(load, WRITES_BETWEEN);
  } finally {
    await load.stop();
    await recorder.stop();
  }
  await drained(url);
  expect(Object.fromEntries(load.refused)).toEqual({});
  for (const service of [api, workers[1]]) expect(await service?.stop()).toBe(0);
  expect(recorder.violations).toEqual([]);
  await equalAtRest(url, dataDir);
}, 180_000);

test('I3: a worker stopped before the seal and continued when the flags have changed their mind seals nothing', async () => {
  const dataDir = temporaryFolder();
  const url = await newMigratedDatabase();
  const variables = { DATA_DIR: dataDir, DATABASE_URL: url };
  const api = await startApi(variables);
  const worker = startWorker({ ...variables, TANDEM_FAILPOINT: 'demote.before-seal:stop' });
  const recorder = recordPrimaries(url, join(dataDir, 'json'));
  await reach(url, api.origin, 'postgres-primary');
  const load = startLoad(api.origin, WRITERS);
  try {
    await moreWrites(load, WRITES_BETWEEN);
    await setFlags(url, 'json-primary');
    await worker.prints('Failpoint demote.before-seal reached.');
    await setFlags(url, 'postgres-primary');
    await vi.waitUntil(
      async () => (await phaseAt(api.origin))?.desired === 'postgres-primary',
      WAIT,
    );
    // PostgreSQL serves all the while: nothing waits for the one that is stopped.
    await moreWrites(load, WRITES_BETWEEN);
    process.kill(worker.pid, 'SIGCONT');
    await moreWrites(load, WRITES_BETWEEN);
    await worker.prints(/Staying in postgres-primary, not json-primary/);
    await reached(api.origin, 'postgres-primary');
    await moreWrites(load, WRITES_BETWEEN);
    const [row] = await query(url, 'SELECT phase, sealed FROM phase_state');
    expect(row).toEqual({ phase: 'postgres-primary', sealed: false });
    // It drives the next one as ever.
    await reach(url, api.origin, 'json-primary');
    await moreWrites(load, WRITES_BETWEEN);
  } catch (error) {
    throw new Error(`${error}\n${worker.output().slice(-4_000)}`);
  } finally {
    await load.stop();
    await recorder.stop();
  }
  await drained(url);
  expect(Object.fromEntries(load.refused)).toEqual({});
  expect(recorder.violations).toEqual([]);
  for (const service of [api, worker]) expect(await service.stop()).toBe(0);
  await equalAtRest(url, dataDir);
}, 180_000);
