import {
  alwaysQueued,
  CatchUpWatch,
  type ConsistencyKeeper,
  keepConsistency,
} from '@tandem/storage/consistency';
import { silentLog } from '@tandem/storage/log';
import { bringUpLive, resolveFlags } from '@tandem/storage/phase';
import {
  consistencyOrders,
  dirtyRanges,
  divergenceLedger,
  ProcessRegistry,
  storageError,
  verifyRuns,
} from '@tandem/storage/postgres';
import {
  createExplanations,
  createQueueUpkeep,
  dropDecidedLetters,
} from '@tandem/storage/replication';
import { allTexts, create, type DualStores, openDualStores, until } from '@tandem/storage/testing';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { run } from './run.ts';

let dual: DualStores;
beforeEach(async () => {
  dual = await openDualStores('postgres-primary');
});
afterEach(() => dual.drop());

/** What the worker does while it holds the JSON store. */
function keep(): ConsistencyKeeper {
  const { pool, queues, store, json, collections } = dual;
  const shared = { collections, log: silentLog };
  const context = {
    ...{ ...shared, json, postgres: store, actor: 'test', reason: 'test' },
    queues: createQueueUpkeep({
      ...{ queues, stores: { json, postgres: store }, ...shared },
      operatingError: storageError,
    }),
    watch: new CatchUpWatch(silentLog),
    now: () => new Date(),
  };
  const keeper = keepConsistency({
    ...{ ...shared, primary: store, secondary: json, mark: alwaysQueued },
    explanations: createExplanations(pool, 'json'),
    ...{ runs: verifyRuns(pool), ledger: divergenceLedger(pool), orders: consistencyOrders(pool) },
    dropDecided: (collection, ids) => dropDecidedLetters(pool, 'json', collection, ids),
    marks: dirtyRanges(pool, collections),
    watermark: () => ({ epoch: 2, outboxSeq: 0 }),
    epochNow: async () => 2,
    notNow: async () => undefined,
    backfill: ({ signal, onProgress }) =>
      bringUpLive({ ...context, signal }, store, json, onProgress),
    ...{ schedule: { changedMs: null, fullMs: null }, holder: 'test' },
  });
  onTestFinished(() => keeper.stop());
  return keeper;
}

async function tandem(...args: string[]) {
  const data: string[] = [];
  const said: string[] = [];
  const exitCode = await run(
    args,
    { DATABASE_URL: dual.url, JSON_DIR: dual.directory, DATA_DIR: dual.directory },
    { data: (text) => data.push(text), say: (text) => said.push(text) },
  );
  return { exitCode, data: data.join('\n'), said: said.join('\n') };
}

test('a backfill is asked for, done by who holds the JSON store, and goes on after that one died', async () => {
  for (let n = 0; n < 3; n += 1) await create(dual.store, { notes: `n${n}` });
  const dry = JSON.parse((await tandem('backfill', '--dry-run', '--json')).data);
  expect(dry).toMatchObject({ order: null, towards: 'json', asked: [], running: [] });
  const asked = await tandem('backfill', '--no-wait', '--reason', 'After the outage.');
  expect(asked.data).toMatch(
    /^That JSON is brought up to date by difference was asked for \(order 1\)/,
  );
  // Somebody took it, and was killed.
  expect((await consistencyOrders(dual.pool).take('worker 1'))?.what).toEqual({ kind: 'backfill' });
  await dual.pool.query(`UPDATE consistency_orders SET alive_at = now() - interval '1 min'`);
  const shown = async () => JSON.parse((await tandem('backfill', '--dry-run', '--json')).data);
  expect(await shown()).toMatchObject({ joined: true, asked: [{ id: 1, state: 'taken' }] });
  keep();
  await until('it is done', async () => (await shown()).asked[0].state === 'done');
  expect((await shown()).asked).toMatchObject([
    {
      ...{ id: 1, takenBy: 'test', reason: 'After the outage.', problem: null },
      result: { seen: 3, applied: 3, remaining: 0, rest: null },
    },
  ]);
  expect((await tandem('backfill')).exitCode).toBe(0);
  expect(await allTexts(dual.json)).toEqual(await allTexts(dual.store));

  await dual.pool.query(`UPDATE expenses SET notes = 'typed' WHERE id = 2`);
  const left = await tandem('backfill');
  expect(left).toMatchObject({
    exitCode: 1,
    data: '0 of 3 records and tombstones were missing in JSON. json does not hold all that postgres holds: expense 2 (conflict).',
  });
  const { rows } = await dual.pool.query(
    'SELECT action, reason FROM audit_log ORDER BY id LIMIT 1',
  );
  expect(rows).toEqual([{ action: 'backfill', reason: 'After the outage.' }]);
});

test('a catch-up that began by itself is shown by status, phase and backfill, whoever runs it', async () => {
  const registry = new ProcessRegistry({ pool: dual.pool, kind: 'worker', log: silentLog });
  onTestFinished(() => registry.stop());
  const { flags, desired } = resolveFlags({}, { read: true, rows: {} }, null);
  await registry.beat({
    ...{ effective: 'postgres-primary', epoch: 2, desired, flags, ready: true, waitingFor: null },
    catchUp: {
      ...{ towards: 'json', since: '2025-12-07T10:00:00.000Z', duty: 1 },
      ...{ done: 120_000, total: 1_000_000, perSecond: 80_000, secondsLeft: 11 },
    },
    work: null,
  });
  const line =
    /^Catch-up {6}towards JSON: 120,000 of 1,000,000 \(12 %\), 80,000 a second, 11 s left \(worker \d+ on .+\)$/m;
  expect((await tandem('status')).data).toMatch(line);
  expect((await tandem('phase')).data).toMatch(line);
  expect((await tandem('backfill', '--dry-run')).data).toMatch(line);
});

test('in a phase that no store follows it is refused with status 3', async () => {
  const move = { actor: 'test', reason: 'test', evidence: {} };
  await dual.store.phase.advance(2, { phase: 'postgres-only', epoch: 3 }, move);
  const refused = await tandem('backfill');
  expect(refused).toMatchObject({ exitCode: 3, data: '' });
  expect(refused.said).toMatch(/^In postgres-only no store follows\. Ask for postgres-primary/);
});
