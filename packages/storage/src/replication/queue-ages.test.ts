import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  createReplicationFixture,
  type ReplicationFixture,
} from '../testing/replication-fixture.ts';
import { changeOf, expenseText } from '../testing/store-fixture.ts';
import { QUEUES } from './job-sink.ts';
import { readQueueAges } from './queue-ages.ts';

let fixture: ReplicationFixture;
beforeAll(async () => {
  fixture = await createReplicationFixture();
});
afterAll(() => fixture.drop());

const change = (id: number) =>
  changeOf(id, { epoch: 1, version: 1 }, null, expenseText(id, 'waits'));

test('the age of a queue is that of its oldest job, waiting or in hand', async () => {
  const { pool, queues } = fixture;
  const ages = () => readQueueAges(pool);
  const age = async (queue: string) => (await ages())[queue] ?? Number.NaN;
  expect(await ages()).toEqual({ [QUEUES.postgres]: null, [QUEUES.json]: null });
  await fixture.enqueue('json', [change(1)]);
  await pool.query(`UPDATE pgboss.job SET created_on = now() - interval '90 s'`);
  await fixture.enqueue('json', [change(2)]);
  expect(await age(QUEUES.json)).toBeGreaterThanOrEqual(90);
  expect((await ages())[QUEUES.postgres]).toBeNull();
  const boss = await queues.ready();
  const [oldest] = await boss.fetch(QUEUES.json, { batchSize: 1 });
  expect(oldest?.data).toMatchObject({ change: { id: 1 } });
  expect(await age(QUEUES.json)).toBeGreaterThanOrEqual(90);
  await boss.deleteJob(QUEUES.json, oldest?.id ?? '');
  expect(await age(QUEUES.json)).toBeLessThan(90);
});
