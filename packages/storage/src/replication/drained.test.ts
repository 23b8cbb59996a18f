import { afterAll, beforeAll, expect, test } from 'vitest';
import { createQueueDatabase, type QueueDatabase } from '../testing/queue-database.ts';
import { until } from '../testing/until.ts';
import { failForNow } from './claims.ts';
import { drained } from './drained.ts';
import { NEVER_FAILED, nextFailure } from './job-failure.ts';
import { QUEUES } from './job-sink.ts';

const SHORT_MS = 300;
const LONG_MS = 20_000;

let database: QueueDatabase;
const queue = QUEUES.json;
beforeAll(async () => {
  database = await createQueueDatabase();
});
afterAll(() => database.drop());

const failure = nextFailure(
  NEVER_FAILED,
  { cause: 'defect', error: 'no' },
  '2025-12-07T10:00:00.000Z',
);

test('I6: a queue with a job that waits for another try is not drained; the job is tried again at once', async () => {
  const { pool, queues } = database;
  const boss = await queues.ready();
  const next = () => until('a job', async () => (await boss.fetch(queue, { batchSize: 1 }))[0]);
  // As after some failures, or when a holder's claim lapsed.
  const postpone = () =>
    pool.query(`UPDATE pgboss.job SET start_after = now() + interval '60 s' WHERE state = 'retry'`);
  const failNext = async (): Promise<void> => {
    await failForNow(pool, queue, [{ claim: await next(), failure }]);
    await postpone();
  };
  await boss.insert(queue, [{ data: {} }]);
  await failNext();
  expect(await drained(pool, queue, SHORT_MS)).toBe(false);

  // Due again only by what the next one does first: the job can't be fetched, and fail, before that.
  await postpone();
  // It fails again: nothing comes of waiting for the deadline.
  const inVain = drained(pool, queue, LONG_MS);
  const beganMs = performance.now();
  await failNext();
  expect(await inVain).toBe(false);
  expect(performance.now() - beganMs).toBeLessThan(LONG_MS);

  const draining = drained(pool, queue, LONG_MS);
  await boss.deleteJob(queue, (await next()).id);
  expect(await draining).toBe(true);
});
