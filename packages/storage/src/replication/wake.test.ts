import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog } from '../log.ts';
import {
  chainOf,
  createReplicationFixture,
  type ReplicationFixture,
} from '../testing/replication-fixture.ts';
import { until } from '../testing/until.ts';
import { QUEUES } from './job-sink.ts';
import { inTransaction } from './transaction.ts';
import { listenForJobs, sayJobsArrived } from './wake.ts';

let fixture: ReplicationFixture;
beforeAll(async () => {
  fixture = await createReplicationFixture();
});
afterAll(() => fixture.drop());

const listeners = async (): Promise<number[]> =>
  (
    await fixture.pool.query(
      `SELECT pid FROM pg_stat_activity WHERE datname = $1 AND query = 'LISTEN tandem_jobs'`,
      [fixture.name],
    )
  ).rows.map(({ pid }) => pid);

test('jobs that commit are told at once, also after the listening connection was lost', async () => {
  const heard: string[] = [];
  const end = listenForJobs(fixture.pool, (queue) => heard.push(queue), silentLog);
  const [pid] = await until('it listens', async () => {
    const pids = await listeners();
    return pids.length > 0 ? pids : undefined;
  });
  await fixture.enqueue('json', chainOf(1, 1));
  await until('the queue is named', () => heard.includes(QUEUES.json));
  await fixture.pool.query('SELECT pg_terminate_backend($1)', [pid]);
  await until('it listens again', async () => {
    const pids = await listeners();
    return pids.length > 0 && !pids.includes(pid as number);
  });
  await fixture.enqueue('postgres', chainOf(1, 1));
  await until('the other queue is named', () => heard.includes(QUEUES.postgres));
  await end();
  await until('nobody listens', async () => (await listeners()).length === 0);
});

test('nothing is told of a transaction that does not commit', async () => {
  const heard: string[] = [];
  const end = listenForJobs(fixture.pool, (queue) => heard.push(queue), silentLog);
  await until('it listens', async () => (await listeners()).length > 0);
  await expect(
    inTransaction(fixture.pool, { timeoutMs: 5_000 }, async (client) => {
      await sayJobsArrived(client, 'rolled back');
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  await sayJobsArrived(fixture.pool, 'committed');
  await until('the committed one is told', () => heard.length > 0);
  expect(heard).toEqual(['committed']);
  await end();
});
