import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Phase } from '../phase/index.ts';
import { whilePhaseStands } from '../postgres/index.ts';
import {
  chainOf,
  createReplicationFixture,
  type ReplicationFixture,
} from '../testing/replication-fixture.ts';
import { readBacklog } from './backlog.ts';
import { QUEUES } from './job-sink.ts';
import { TakenJobs } from './taken-jobs.ts';
import { dropUnfollowed } from './unfollowed-jobs.ts';

let fixture: ReplicationFixture;
beforeAll(async () => {
  fixture = await createReplicationFixture();
});
afterAll(() => fixture.drop());

const stands = async (phase: Phase, sealed: boolean) => {
  const { epoch } = await fixture.store.phase.read();
  const move = { actor: 'test', reason: 'test', evidence: {} };
  expect(await fixture.store.phase.advance(epoch, { phase, sealed }, move)).toBe(true);
};
const drop = () => dropUnfollowed((act) => whilePhaseStands(fixture.pool, act));
const waiting = async () => (await readBacklog(fixture.pool)).queues;

test('I2: jobs towards JSON are dropped only where it follows nobody, and not out of somebody’s hands', async () => {
  const { pool, enqueue, bury } = fixture;
  await enqueue('json', chainOf(1, 3));
  await enqueue('postgres', chainOf(2, 1));
  await bury('json', chainOf(4, 1));
  await stands('postgres-primary', false);
  expect(await drop()).toBe(0);
  // On its way to json-primary: what is queued is to be drained into it.
  await stands('postgres-primary', true);
  expect(await drop()).toBe(0);
  await stands('json-primary', true);
  expect(await drop()).toBe(0);

  await stands('postgres-only', false);
  const inHand = await TakenJobs.take(pool, QUEUES.json, 1);
  expect(await drop()).toBe(2);
  await inHand.putBack();
  expect(await drop()).toBe(1);
  // What an emergency brake left, once both sides are together again.
  await enqueue('json', chainOf(5, 1));
  await stands('json-primary', false);
  expect(await drop()).toBe(1);
  expect(await waiting()).toMatchObject({
    [QUEUES.json]: { waiting: 0, active: 0, deadLetters: 1 },
    [QUEUES.postgres]: { waiting: 1 },
  });
});
