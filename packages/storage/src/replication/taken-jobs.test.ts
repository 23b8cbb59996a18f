import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createPool } from '../postgres/index.ts';
import { createQueueDatabase, type QueueDatabase } from '../testing/queue-database.ts';
import { until } from '../testing/until.ts';
import { readBacklog } from './backlog.ts';
import { failForNow, removeDone } from './claims.ts';
import { NEVER_FAILED, nextFailure } from './job-failure.ts';
import { QUEUES } from './job-sink.ts';
import { TakenJobs } from './taken-jobs.ts';

/** Bytes; the kernel keeps some megabytes of them on either side. */
const MORE_THAN_SOCKETS_BUFFER = 20 << 20;

let database: QueueDatabase;
const queue = QUEUES.postgres;

beforeAll(async () => {
  database = await createQueueDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query('DELETE FROM pgboss.job');
});

async function enqueue(count: number): Promise<void> {
  const boss = await database.queues.ready();
  await boss.insert(
    queue,
    Array.from({ length: count }, (_, n) => ({ data: { n } })),
  );
}

const take = (jobsMax: number) => TakenJobs.take(database.pool, queue, jobsMax);
const numbersOf = ({ jobs }: TakenJobs): unknown[] =>
  jobs.map(({ data }) => (data as { n: number }).n).toSorted();

/** Ends the server's side of every transaction that has jobs in hand, as a crash of the holder does. */
const cutHolders = () =>
  database.pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE datname = current_database() AND state = 'idle in transaction'`,
  );

test('I2: what one has in hand nobody else is given, and put back it was never taken', async () => {
  await enqueue(5);
  const [first, second] = [await take(2), await take(10)];
  expect([...numbersOf(first), ...numbersOf(second)].toSorted()).toEqual([0, 1, 2, 3, 4]);
  expect((await take(10)).jobs).toEqual([]);
  // Nothing is hidden from whoever counts meanwhile.
  expect((await readBacklog(database.pool)).total).toBe(5);
  await Promise.all([first.putBack(), second.putBack()]);
  const again = await take(10);
  expect(numbersOf(again)).toEqual([0, 1, 2, 3, 4]);
  expect(again.jobs.every(({ retryCount }) => retryCount === 0)).toBe(true);
  await again.putBack();
});

test('I2: jobs of a holder that died come back at once, and its settling changes nothing', async () => {
  await enqueue(3);
  const held = await take(3);
  await cutHolders();
  const next = await until('they can be taken', async () => {
    const taken = await take(3);
    return taken.jobs.length === 3 ? taken : undefined;
  });
  await expect(held.settle((client) => removeDone(client, queue, held.jobs))).rejects.toThrow();
  await next.settle((client) => removeDone(client, queue, next.jobs.slice(0, 2)));
  expect((await readBacklog(database.pool)).total).toBe(1);
});

test('I2: jobs come back from a holder that was stopped while they were being sent to it', async () => {
  await database.pool.query(
    `INSERT INTO pgboss.job (name, data)
     SELECT $1, jsonb_build_object('n', n, 'text', repeat('x', $2)) FROM generate_series(0, 7) AS n`,
    [queue, MORE_THAN_SOCKETS_BUFFER / 8],
  );
  const pool = createPool(database.url, { applicationName: 'stopped', max: 1 });
  const client = await pool.connect();
  // What it is sent from now on is never read, as by a process under SIGSTOP.
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection;
  const query = client.query.bind(client) as (...given: unknown[]) => unknown;
  client.query = ((...given: unknown[]) => {
    if (typeof given[0] === 'object') stream.pause();
    return query(...given);
  }) as typeof client.query;
  client.release();
  const taking = TakenJobs.take(pool, queue, 8, { silenceMaxMs: 500 }).catch(() => undefined);
  await until('the server can send no more', async () => {
    const { rowCount } = await database.pool.query(
      `SELECT FROM pg_stat_activity WHERE application_name = 'stopped' AND wait_event = 'ClientWrite'`,
    );
    return rowCount === 1;
  });
  // What was not reached yet is not locked either.
  const free = async () =>
    (await database.pool.query('SELECT id FROM pgboss.job FOR UPDATE SKIP LOCKED')).rowCount;
  expect(await free()).toBeLessThan(8);
  await until('all of them are free', async () => (await free()) === 8);
  stream.destroy();
  await taking;
  await pool.end();
});

test('I5: of large jobs so many are taken as there is room for, one at least', async () => {
  const large = (n: number) => ({ data: { n, text: 'x'.repeat(100) } });
  const boss = await database.queues.ready();
  await boss.insert(queue, [0, 1, 2, 3, 4].map(large));
  const takeWithin = (batchBytesMax: number) =>
    TakenJobs.take(database.pool, queue, 4, { batchBytesMax });
  const some = await takeWithin(200);
  expect([some.jobs.length, some.isCut]).toEqual([2, true]);
  await some.settle((client) => removeDone(client, queue, some.jobs));
  const one = await takeWithin(1);
  expect([one.jobs.length, one.isCut]).toEqual([1, true]);
  await one.putBack();
  const all = await takeWithin(10_000);
  expect([all.jobs.length, all.isCut]).toEqual([3, false]);
  await all.putBack();
});

test('what settling throws takes back all of it', async () => {
  await enqueue(2);
  const held = await take(2);
  const settling = held.settle(async (client) => {
    await removeDone(client, queue, held.jobs);
    throw new Error('no');
  });
  await expect(settling).rejects.toThrow('no');
  expect((await readBacklog(database.pool)).total).toBe(2);
});

test('a job brings the failures of its record along; a holder that died adds none', async () => {
  await enqueue(1);
  const problem = { cause: 'rejected', error: 'no' };
  const failure = nextFailure(NEVER_FAILED, problem, '2025-12-07T10:00:00.000Z');
  const first = await take(1);
  const [claim] = first.jobs;
  if (claim === undefined) throw new Error('There is no job.');
  await first.settle((client) => failForNow(client, queue, [{ claim, failure }]));
  await database.pool.query('UPDATE pgboss.job SET start_after = now()');
  const second = await take(1);
  await cutHolders();
  const third = await until('it can be taken', async () => {
    const taken = await take(1);
    return taken.jobs.length === 1 ? taken : undefined;
  });
  const { failures, attempts, redriven } = failure;
  expect(third.jobs).toMatchObject([{ retryCount: 1, past: { failures, attempts, redriven } }]);
  await Promise.all([second.putBack(), third.putBack()]);
});
