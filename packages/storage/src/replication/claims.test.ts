import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { auditLog } from '../postgres/index.ts';
import { createQueueDatabase, type QueueDatabase } from '../testing/queue-database.ts';
import { readBacklog } from './backlog.ts';
import { type Claim, deadLetter, failForNow, takeBackLapsed } from './claims.ts';
import { actOnDeadLetters } from './dead-letter-acts.ts';
import { listDeadLetters } from './dead-letters.ts';
import { NEVER_FAILED, nextFailure } from './job-failure.ts';
import { QUEUES } from './job-sink.ts';
import { deadLetterQueueOf } from './queues.ts';

let database: QueueDatabase;
const queue = QUEUES.postgres;
const failureOf = (error: string) =>
  nextFailure(
    { ...NEVER_FAILED, failures: 2 },
    { cause: 'rejected', error },
    '2025-12-07T10:00:00.000Z',
  );
const failure = failureOf('no');

beforeAll(async () => {
  database = await createQueueDatabase();
});
afterAll(() => database.drop());
beforeEach(() => database.pool.query('DELETE FROM pgboss.job'));

async function enqueue(count: number): Promise<void> {
  const boss = await database.queues.ready();
  await boss.insert(
    queue,
    Array.from({ length: count }, (_, n) => ({ data: { n } })),
  );
}

async function claim(count: number): Promise<Claim[]> {
  const boss = await database.queues.ready();
  return boss.fetch(queue, { batchSize: count });
}

test('I2: claims of a holder that fell silent come back at once, fresh ones stay', async () => {
  await enqueue(2);
  const [silent] = await claim(1);
  await database.pool.query(
    `UPDATE pgboss.job SET heartbeat_on = now() - interval '1 minute' WHERE id = $1`,
    [silent?.id],
  );
  await claim(1);
  expect(await takeBackLapsed(database.pool, queue, 30_000)).toBe(1);
  expect((await claim(5)).map(({ id }) => id)).toEqual([silent?.id]);
});

test('a dead letter keeps its cause, also when the error text holds what jsonb can not', async () => {
  await enqueue(1);
  const claims = await claim(1);
  const error = 'bad \0 byte and \ud800 half';
  await deadLetter(database.pool, queue, [
    { claim: claims[0] as Claim, failure: failureOf(error) },
  ]);
  const [letter] = await listDeadLetters(database.pool, 'postgres');
  expect(letter).toMatchObject({ cause: 'rejected', failures: 3, error: 'bad � byte and � half' });
  expect(await readBacklog(database.pool)).toMatchObject({ total: 0, deadLetters: 1 });
});

test('a claim that lapsed can’t be dead-lettered by its old holder', async () => {
  await enqueue(1);
  const [old] = await claim(1);
  await takeBackLapsed(database.pool, queue, 0);
  await claim(1);
  await deadLetter(database.pool, queue, [{ claim: old as Claim, failure }]);
  expect(await readBacklog(database.pool)).toMatchObject({ total: 1, deadLetters: 0 });
});

test('the backlog counts waiting, active and retried jobs of each queue', async () => {
  await enqueue(5);
  const boss = await database.queues.ready();
  const claims = await claim(3);
  await boss.fail(queue, claims[0] as Claim, failure);
  const backlog = await readBacklog(database.pool);
  expect(backlog.queues[queue]).toEqual({ waiting: 3, active: 2, deadLetters: 0 });
  expect(backlog.queues[QUEUES.json]).toEqual({ waiting: 0, active: 0, deadLetters: 0 });
  expect(backlog.total).toBe(5);
});

/** A job's row without what differs from job to job. */
const rowsOf = async (name: string): Promise<unknown[]> => {
  const { rows } = await database.pool.query(
    `SELECT to_jsonb(job) - ARRAY['id', 'source_id', 'source_root_id', 'created_on', 'start_after',
       'keep_until', 'source_created_on', 'output', 'source_output'] AS job,
       date_trunc('hour', keep_until - created_on)::text AS kept
     FROM pgboss.job WHERE name = $1`,
    [name],
  );
  return rows;
};

test('jobs die and come back as pg-boss itself lets them, column by column', async () => {
  const boss = await database.queues.ready();
  const dead = deadLetterQueueOf(queue);
  await enqueue(1);
  const [ours] = await claim(1);
  await deadLetter(database.pool, queue, [{ claim: ours as Claim, failure }]);
  const diedOurs = await rowsOf(dead);
  await actOnDeadLetters(
    'redrive',
    {},
    {
      ...{ pool: database.pool, audit: auditLog, actor: 'test', reason: 'test' },
    },
  );
  const backOurs = await rowsOf(queue);
  await database.pool.query('DELETE FROM pgboss.job');

  await enqueue(1);
  const [theirs] = await claim(1);
  await database.pool.query('UPDATE pgboss.job SET retry_limit = 0');
  await boss.fail(queue, theirs as Claim, failure);
  expect(diedOurs).toEqual(await rowsOf(dead));
  await database.pool.query('DELETE FROM pgboss.job WHERE name = $1', [queue]);
  expect(await boss.redrive(dead)).toBe(1);
  expect(backOurs).toEqual(await rowsOf(queue));
});

test('a job that fails for now waits as long as pg-boss lets it, each with its own failure', async () => {
  await enqueue(3);
  const claims = await claim(2);
  const [stale] = await claim(1);
  await takeBackLapsed(database.pool, queue, 0);
  const again = await claim(3);
  const fresh = again.filter(({ id }) => id !== stale?.id);
  const failed = [...fresh, stale as Claim].map((one, index) => ({
    claim: one,
    failure: failureOf(`no ${index}`),
  }));
  expect(claims).toHaveLength(2);
  await failForNow(database.pool, queue, failed);
  const { rows } = await database.pool.query<Record<'state' | 'error' | 'due', unknown>>(
    `SELECT state::text, output->>'error' AS error,
       start_after - now() BETWEEN interval '0.5 s' AND interval '61 s' AS due
     FROM pgboss.job WHERE name = $1 ORDER BY output->>'error'`,
    [queue],
  );
  // The claim that had lapsed settled nothing.
  expect(rows).toEqual([
    { state: 'retry', error: 'no 0', due: true },
    { state: 'retry', error: 'no 1', due: true },
    { state: 'active', error: null, due: false },
  ]);
});
