import { alwaysQueued, type ConsistencyKeeper, keepConsistency } from '@tandem/storage/consistency';
import { silentLog } from '@tandem/storage/log';
import {
  consistencyOrders,
  dirtyRanges,
  divergenceLedger,
  verifyRuns,
} from '@tandem/storage/postgres';
import { createExplanations, dropDecidedLetters } from '@tandem/storage/replication';
import { create, type DualStores, openDualStores } from '@tandem/storage/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from './run.ts';

let dual: DualStores;
let keeper: ConsistencyKeeper;
beforeEach(async () => {
  dual = await openDualStores('postgres-primary');
  const { pool, store, json, collections } = dual;
  keeper = keepConsistency({
    ...{ primary: store, secondary: json, collections, mark: alwaysQueued, log: silentLog },
    explanations: createExplanations(pool, 'json'),
    ...{ runs: verifyRuns(pool), ledger: divergenceLedger(pool), orders: consistencyOrders(pool) },
    marks: dirtyRanges(pool, collections),
    dropDecided: (collection, ids) => dropDecidedLetters(pool, 'json', collection, ids),
    watermark: () => ({ epoch: 2, outboxSeq: 0 }),
    epochNow: async () => 2,
    notNow: async () => undefined,
    backfill: () => Promise.reject(new Error('Nobody asks for it here.')),
    ...{ schedule: { changedMs: null, fullMs: null }, holder: 'test' },
  });
});
afterEach(async () => {
  await keeper.stop();
  await dual.drop();
});

async function tandem(...args: string[]) {
  const data: string[] = [];
  const exitCode = await run(
    args,
    { DATABASE_URL: dual.url, JSON_DIR: dual.directory, DATA_DIR: dual.directory },
    { data: (text) => data.push(text), say: (text) => data.push(text) },
  );
  return { exitCode, data: data.join('\n') };
}

test('verify, list, repair, decide: until verify is clean again', async () => {
  for (let n = 0; n < 3; n++) await create(dual.store, { notes: `n${n}` });
  const worker = dual.work('json');
  await dual.drained('json');
  await dual.pool.query(`UPDATE expenses SET notes = 'typed' WHERE id = 1`);
  await dual.pool.query(`UPDATE expenses SET version = 4 WHERE id = 2`);
  expect((await tandem('verify')).exitCode).toBe(1);
  const list = await tandem('divergences', 'list');
  expect(list.data).toMatch(/expense 1 +\| conflict/);
  expect(list.data).toMatch(/expense 2 +\| divergent/);
  const shown = await tandem('divergences', 'show', '1');
  expect(shown.data).toContain('"notes":"typed"');
  expect(shown.data).toContain('"notes":"n0"');

  const why = ['--reason', 'because'];
  expect((await tandem('repair', ...why)).exitCode).toBe(2);
  const dry = await tandem('repair', '--run', '1', '--dry-run', ...why);
  expect(dry.data).toContain('2 looked at: 1 would be mended, 1 left alone.');
  const mended = await tandem('repair', '--run', '1', ...why);
  expect(mended.exitCode).toBe(1);
  expect(mended.data).toContain('2 looked at: 1 mended, 1 left alone.');
  const decided = await tandem('divergences', 'resolve', '1', '--keep', 'secondary', ...why);
  expect(decided).toMatchObject({ exitCode: 0, data: expect.stringContaining('1 mended.') });
  expect((await dual.store.get(dual.collections[0] as never, 1))?.text).toContain('"notes":"n0"');
  expect((await tandem('verify')).exitCode).toBe(0);
  expect((await tandem('divergences', 'list')).data).toBe('None.');
  expect((await tandem('divergences', 'list', '--all')).data).toMatch(
    /kept-secondary .*\n.*repaired /,
  );
  expect((await tandem('divergences', 'budget', 'expense', '2', ...why)).exitCode).toBe(0);
  const { rows } = await dual.pool.query('SELECT action FROM audit_log ORDER BY id');
  expect(rows.map(({ action }) => action)).toEqual(['repair', 'repair', 'set-divergence-budget']);
  await worker.stop({ drainTimeoutMs: 0 });
});

test('an order that nobody takes, a dry run too, is listed and withdrawn', async () => {
  await keeper.stop();
  const what = { scope: { collection: 'expense', id: 5 }, keep: null, dryRun: true } as const;
  const asked = { actor: 'ann', reason: 'Shown in the console.' };
  const id = await consistencyOrders(dual.pool).place({
    what: { kind: 'repair', ...what },
    ...asked,
  });
  expect((await tandem('orders')).data).toMatch(/waiting .*\| repair of expense 5, dry run \|/);
  const withdraw = () => tandem('orders', 'withdraw', `${id}`, '--reason', 'Nobody is there.');
  expect(await withdraw()).toEqual({ exitCode: 0, data: `Order ${id} is withdrawn.` });
  expect(await withdraw()).toMatchObject({
    exitCode: 3,
    data: expect.stringContaining(`Order ${id} is withdrawn; only one that waits`),
  });
  const [order] = JSON.parse((await tandem('orders', 'list', '--json')).data);
  expect(order).toMatchObject({ id, state: 'withdrawn' });
});
