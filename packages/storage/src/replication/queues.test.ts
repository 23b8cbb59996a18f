import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog } from '../log.ts';
import { createQueueDatabase, type QueueDatabase } from '../testing/queue-database.ts';
import { migrateQueues } from './boss.ts';
import { QUEUES } from './job-sink.ts';
import { deadLetterQueueOf, declareQueues } from './queues.ts';

let database: QueueDatabase;
beforeAll(async () => {
  database = await createQueueDatabase();
});
afterAll(() => database.drop());

const NINE_YEARS_SECONDS = 9 * 365 * 24 * 3600;

test('I2: waiting jobs and dead letters never expire, and crashes reach no retry limit', async () => {
  const boss = await database.queues.ready();
  for (const queue of Object.values(QUEUES)) {
    const declared = await boss.getQueue(queue);
    expect(declared).toMatchObject({
      policy: 'standard',
      deadLetter: deadLetterQueueOf(queue),
      notify: false,
    });
    expect(declared?.retryLimit).toBeGreaterThan(1_000_000);
    expect(declared?.retentionSeconds).toBeGreaterThan(NINE_YEARS_SECONDS);
    const dead = await boss.getQueue(deadLetterQueueOf(queue));
    expect(dead?.retentionSeconds).toBeGreaterThan(NINE_YEARS_SECONDS);
    expect(dead?.deleteAfterSeconds).toBe(0);
  }
});

test('declaring again changes nothing, and mends an option that differs', async () => {
  const boss = await database.queues.ready();
  const before = await boss.getQueue(QUEUES.json);
  await declareQueues(boss);
  expect(await boss.getQueue(QUEUES.json)).toEqual(before);
  await boss.updateQueue(QUEUES.json, { retryDelay: 7 });
  await declareQueues(boss);
  expect((await boss.getQueue(QUEUES.json))?.retryDelay).toBe(before?.retryDelay);
});

test('migrating twice at once is harmless', async () => {
  await Promise.all([
    migrateQueues(database.pool, silentLog),
    migrateQueues(database.pool, silentLog),
  ]);
});
