import { afterAll, beforeAll, expect, test } from 'vitest';
import { createQueueDatabase, type QueueDatabase } from '../testing/queue-database.ts';
import { insertJobs } from './insert-jobs.ts';
import { QUEUES } from './job-sink.ts';
import { inTransaction } from './transaction.ts';

let database: QueueDatabase;
beforeAll(async () => {
  database = await createQueueDatabase();
});
afterAll(() => database.drop());

const DATA = [{ format: 1, of: { b: 'שלום "\\', a: [1.5, null] } }, {}];

/** Each job's columns, without what differs from job to job. */
async function taken(queue: string): Promise<unknown[]> {
  const { rows } = await database.pool.query(
    `DELETE FROM pgboss.job WHERE name = $1 RETURNING
       (to_jsonb(job) - ARRAY['id', 'created_on', 'start_after', 'keep_until'])::text AS job,
       start_after = created_on AS at_once, (keep_until - created_on)::text AS kept`,
    [queue],
  );
  return rows;
}

test.each(Object.values(QUEUES))('jobs of %s are inserted as pg-boss does it', async (queue) => {
  const { pool, queues } = database;
  const boss = await queues.ready();
  await boss.insert(
    queue,
    DATA.map((data) => ({ data })),
  );
  const theirs = await taken(queue);
  const texts = DATA.map((data) => JSON.stringify(data));
  await inTransaction(pool, { timeoutMs: 10_000 }, (client) => insertJobs(client, queue, texts));
  expect(await taken(queue)).toEqual(theirs);
  expect(theirs).toHaveLength(DATA.length);
});

test('I2: a transaction whose jobs have no queue fails', async () => {
  const inserting = inTransaction(database.pool, { timeoutMs: 10_000 }, (client) =>
    insertJobs(client, 'write-to-nowhere', ['{}']),
  );
  await expect(inserting).rejects.toThrow('0 of 1 jobs were put into write-to-nowhere.');
});
