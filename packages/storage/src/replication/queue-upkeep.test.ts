import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../log.ts';
import { storageError } from '../postgres/index.ts';
import {
  chainOf,
  createReplicationFixture,
  type ReplicationFixture,
} from '../testing/replication-fixture.ts';
import { readBacklog } from './backlog.ts';
import { listDeadLetters } from './dead-letters.ts';
import { startDirection } from './direction-worker.ts';
import { createQueueUpkeep } from './queue-upkeep.ts';

let fixture: ReplicationFixture;
beforeAll(async () => {
  fixture = await createReplicationFixture();
});
afterAll(() => fixture.drop());
beforeEach(() => fixture.clear());

const upkeep = () => {
  const { queues, store, collections } = fixture;
  // The JSON side is not asked for anything here.
  const stores = { json: store, postgres: store };
  return createQueueUpkeep({
    ...{ queues, stores, collections, log: silentLog },
    operatingError: storageError,
  });
};
const waiting = async () => (await readBacklog(fixture.pool)).total;

test('I2: what two catch-ups could not store stands as one dead letter, however close they come', async () => {
  const rejected = [3, 9].flatMap((id) =>
    chainOf(id, 1).map((c) => ({ ...c, record: '{"id":1}' })),
  );
  await upkeep().enqueueRejected('postgres', rejected);
  await upkeep().enqueueRejected('postgres', rejected);
  expect(await waiting()).toBe(2);
  const { store, queues, collections } = fixture;
  const options = { store, queues, collections, log: silentLog };
  const worker = startDirection({ direction: 'postgres', ...options });
  await fixture.drained('postgres');
  await worker.stop({ drainTimeoutMs: 5_000 });
  await upkeep().enqueueRejected('postgres', rejected);
  expect(await waiting()).toBe(0);
  expect(await listDeadLetters(fixture.pool, 'postgres')).toHaveLength(2);
  // A later change of the same record is another one.
  await upkeep().enqueueRejected('postgres', chainOf(3, 2).slice(1));
  expect(await waiting()).toBe(1);
});

test('jobs that are covered are dropped, also those that a dead worker had in hand', async () => {
  await fixture.enqueue('json', chainOf(1, 3));
  const boss = await fixture.queues.ready();
  expect(await boss.fetch('write-to-json', { batchSize: 1 })).toHaveLength(1);
  await upkeep().dropCovered('json');
  expect(await waiting()).toBe(0);
});

test('what the queue’s tables answer with is an operating error to a switch', async () => {
  await fixture.pool.query('ALTER TABLE pgboss.job RENAME TO elsewhere');
  try {
    const rejected = chainOf(1, 1);
    const failed = { code: 'storage-failed' };
    await expect(upkeep().dropCovered('json')).rejects.toMatchObject(failed);
    await expect(upkeep().enqueueRejected('postgres', rejected)).rejects.toMatchObject(failed);
  } finally {
    await fixture.pool.query('ALTER TABLE pgboss.elsewhere RENAME TO job');
  }
});
