import { CatchUpWatch } from '@tandem/storage/consistency';
import { inspectJsonStore, openJsonSnapshot, requestHandover } from '@tandem/storage/json';
import { silentLog } from '@tandem/storage/log';
import { noObserver } from '@tandem/storage/observer';
import { createPool, openPostgresStore, type PostgresStore } from '@tandem/storage/postgres';
import {
  createJobSink,
  createQueueClient,
  QUEUES,
  type QueueClient,
  readBacklog,
} from '@tandem/storage/replication';
import {
  changeOf,
  type DualStores,
  expense,
  expenseText,
  openDualStores,
  startTcpProxy,
  until,
} from '@tandem/storage/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { JsonFollower } from './json-follower.ts';

let dual: DualStores;
let follower: JsonFollower | undefined;
beforeEach(async () => {
  dual = await openDualStores('postgres-primary');
});
afterEach(async () => {
  await follower?.stop({ drainTimeoutMs: 0 });
  await dual.drop();
});

function newFollower(postgres: PostgresStore, queues: QueueClient = dual.queues): JsonFollower {
  const { collections, directory } = dual;
  return new JsonFollower({
    ...{ directory, queues, collections, postgres, log: silentLog, observer: noObserver },
    adoptExternalEdits: false,
    verifySchedule: { changedMs: null, fullMs: null },
    processes: { live: async () => [] },
    desiredBy: () => 'postgres-primary',
    watch: new CatchUpWatch(silentLog),
  });
}

/** Another process makes JSON the primary, as it holds the store; then it lets go of it. */
async function moveToJson(): Promise<void> {
  const { json, store } = dual;
  await json.phase.update({ phase: 'json-primary', epoch: 3 });
  const move = { actor: 'test', reason: 'test', evidence: {} };
  expect(await store.phase.advance(2, { phase: 'json-primary', epoch: 3 }, move)).toBe(true);
  await json.close({ checkpoint: false });
}

test('a worker that stands by does not take a JSON store that has become the primary before it was told', async () => {
  const { json, store, directory } = dual;
  const standing = newFollower(store);
  follower = standing;
  standing.follow(await store.phase.read(), 'postgres-primary');
  await until('it stands by', () => standing.status().isHeldElsewhere === true);
  const { lineage } = json.phase.read();
  await moveToJson();
  await until('it has looked again', () => standing.status().state === 'off');
  expect((await inspectJsonStore(directory)).phase?.lineage).toEqual(lineage);
});

test('I3, I4: a move between the worker’s look at the phase and its taking of the lock lets nothing be applied to JSON', async () => {
  const { json, store, directory, pool } = dual;
  const ours = changeOf(1, { epoch: 2, version: 1 }, null, expenseText(1, 'as JSON has it'));
  await json.apply([{ kind: 'change', change: ours }]);
  await dual.enqueue('json', [changeOf(1, { epoch: 2, version: 2 }, ours, expenseText(1, 'late'))]);
  let moving: Promise<void> | undefined;
  /** The row as it stood before the move; when it is given, the move is over. */
  const read = async () => {
    const row = await store.phase.read();
    moving ??= moveToJson();
    await moving;
    return row;
  };
  const row = await store.phase.read();
  const late = newFollower({ ...store, phase: { ...store.phase, read } });
  follower = late;
  late.follow(row, 'postgres-primary');
  await until('it has looked under the lock', () => late.status().state === 'off');
  expect((await readBacklog(pool)).queues).toMatchObject({ 'write-to-json': { waiting: 1 } });
  expect(await store.phase.read()).toMatchObject({ phase: 'json-primary', epoch: 3 });
  const after = await openJsonSnapshot({ directory, collections: dual.collections });
  expect(after.phase).toMatchObject({ phase: 'json-primary', epoch: 3 });
  expect((await after.get(expense, 1))?.text).toBe(ours.record);
  await after.close();
});

test('I5: whoever asks for the JSON store is given it although PostgreSQL hangs, as for the brake', async () => {
  const { json, directory, collections, url } = dual;
  await json.close();
  const proxy = await startTcpProxy(url);
  const pool = createPool(proxy.url, { applicationName: 'hanging' });
  const queues = createQueueClient({ pool, role: 'work', log: silentLog });
  const jobs = createJobSink({ queues, queue: QUEUES.json });
  const store = openPostgresStore({ pool, collections, jobs });
  try {
    const holding = newFollower(store, queues);
    follower = holding;
    holding.follow(await store.phase.read(), 'postgres-primary');
    await until('it follows', () => holding.status().state === 'working');
    proxy.stall();
    const withdraw = await requestHandover(directory, { pid: process.pid, processName: 'api' });
    // The driver alone waits 20 s for the answer to one statement, and several are under way.
    const isFree = async () => (await inspectJsonStore(directory)).holder === undefined;
    await until('it lets go', isFree, 18_000);
    await withdraw();
  } finally {
    await proxy.close();
    await follower?.stop({ drainTimeoutMs: 0 });
    await queues.stop();
    await store.close();
    await pool.end();
  }
});
