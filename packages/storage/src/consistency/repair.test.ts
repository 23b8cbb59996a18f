import { afterEach, expect, test } from 'vitest';
import { consistencyOrders, divergenceLedger } from '../postgres/index.ts';
import { type DualStores, openDualStores } from '../testing/dual-stores.ts';
import {
  changeOf,
  create,
  expense,
  expenseText,
  run,
  setOf,
  valuesOf,
} from '../testing/store-fixture.ts';
import type { ConsistencyOrder } from './consistency-orders.ts';

let dual: DualStores;
afterEach(() => dual.drop());

const ledger = () => divergenceLedger(dual.pool);

/** Every fault that psql can make of six records and a key that both stores have. */
const FAULTS = `
  DELETE FROM expenses WHERE id = 1;
  INSERT INTO expenses (id, date, category, amount, account) VALUES (77, '2025-01-01', 'x', 1, 'y');
  UPDATE expenses SET amount = amount + 0.01 WHERE id = 2;
  UPDATE expenses SET version = 9, notes = 'ahead' WHERE id = 3;
  UPDATE expenses SET epoch = 1, notes = 'another chain' WHERE id = 4;
  DELETE FROM idempotency_keys WHERE key = 'gone'`;

async function filled(phase: 'json-primary' | 'postgres-primary'): Promise<DualStores> {
  const opened = await openDualStores(phase);
  const primary = phase === 'json-primary' ? opened.json : opened.store;
  for (let n = 0; n < 6; n++) await create(primary, { notes: `n${n}` });
  await run(primary, { op: 'update', collection: expense, id: 4, set: setOf({ notes: 'twice' }) });
  await run(primary, { op: 'delete', collection: expense, id: 6 });
  const command = { op: 'create', collection: expense, values: valuesOf() } as const;
  await primary.write({ command, key: { key: 'gone', fingerprint: 'f' } });
  if (phase === 'json-primary') await opened.replicated();
  else await opened.work('json').stop({ drainTimeoutMs: 30_000 });
  return opened;
}

test('I4: from a JSON primary: what is missing, extra or other is written anew; a conflict waits for a choice', async () => {
  dual = await filled('json-primary');
  await dual.pool.query(FAULTS);
  const found = await dual.compare('json');
  expect(found.counts).toMatchObject({ divergent: 4, conflict: 1, fork: 1 });
  const planned = await dual.repair('json', { scope: { runId: found.id }, dryRun: true });
  expect(planned).toMatchObject({ matched: 6, counts: { planned: 4, left: 2, repaired: 0 } });
  expect((await dual.compare('json')).counts).toEqual(found.counts);

  dual.relay();
  dual.work('postgres');
  const mended = await dual.repair('json', { scope: { runId: found.id + 1 } });
  expect(mended).toMatchObject({ matched: 6, counts: { repaired: 4, left: 2, failed: 0 } });
  expect(mended.items[0]).toMatchObject({
    class: 'conflict',
    why: expect.stringContaining('keep'),
  });
  expect((await dual.compare('json')).counts).toMatchObject({ divergent: 0, conflict: 1, fork: 1 });
  const listed = await ledger().find({ isOpen: false }, { limit: 10 });
  expect(listed.map(({ resolution, resolvedBy }) => `${resolution} ${resolvedBy}`)).toEqual(
    Array.from({ length: 4 }, () => 'repaired test'),
  );
  // What was overwritten stays with its entry.
  const texts = listed.map(({ secondary }) => secondary?.text ?? '');
  expect(texts.filter((text) => /"notes":"ahead"|"category":"x"/.test(text))).toHaveLength(2);
  // The id of the extra record is never given again, and the record is gone for good (I9).
  expect((await create(dual.json)).id).toBe(78);
  expect(await dual.json.get(expense, 77)).toBeUndefined();

  const conflict = (await ledger().find({ class: 'conflict', isOpen: true }, { limit: 1 }))[0];
  const fork = (await ledger().find({ class: 'fork', isOpen: true }, { limit: 1 }))[0];
  const kept = await dual.repair('json', {
    ...{ scope: { entryIds: [conflict?.id as number] }, keep: 'secondary' },
  });
  expect(kept.counts).toMatchObject({ repaired: 1 });
  expect((await dual.json.get(expense, 2))?.text).toContain('"amount":150.51');
  await dual.repair('json', { scope: { entryIds: [fork?.id as number] }, keep: 'primary' });
  expect((await dual.store.get(expense, 4))?.text).toContain('"notes":"twice"');
  expect(await dual.compare('json')).toMatchObject({ outcome: 'clean' });
  expect(
    (await ledger().find({ ids: [conflict?.id as number, fork?.id as number] }, { limit: 5 })).map(
      ({ resolution }) => resolution,
    ),
  ).toEqual(expect.arrayContaining(['kept-secondary', 'kept-primary']));
  expect(await ledger().find({ isOpen: true }, { limit: 5 })).toEqual([]);
});

test('from a PostgreSQL primary: edits typed there and states the JSON store made up are mended', async () => {
  dual = await filled('postgres-primary');
  await dual.pool.query(`UPDATE expenses SET notes = 'typed' WHERE id = 1;
    DELETE FROM expenses WHERE id = 2`);
  const extra = changeOf(90, { epoch: 2, version: 3 }, null, expenseText(90, 'only in JSON'));
  await dual.json.apply([{ kind: 'change', change: extra }]);
  const found = await dual.compare('postgres');
  expect(found.counts).toMatchObject({ conflict: 1, divergent: 2 });
  dual.work('json');
  const mended = await dual.repair('postgres', { scope: { runId: found.id }, keep: 'primary' });
  expect(mended.counts).toMatchObject({ repaired: 3, failed: 0, left: 0 });
  expect((await dual.json.get(expense, 1))?.text).toContain('"notes":"typed"');
  expect(await dual.json.get(expense, 90)).toBeUndefined();
  expect(await dual.compare('postgres')).toMatchObject({ outcome: 'clean' });
  expect((await create(dual.store)).id).toBe(91);

  // One record, of which the ledger knows nothing yet; and one that does not differ.
  await dual.drained('json');
  await dual.pool.query('UPDATE expenses SET version = 9 WHERE id = 5');
  const one = await dual.repair('postgres', { scope: { collection: 'expense', id: 5 } });
  expect(one).toMatchObject({ matched: 1, counts: { repaired: 1 } });
  const [entry] = await ledger().find({ recordId: 5 }, { limit: 5 });
  expect(entry).toMatchObject({ resolution: 'repaired', primary: { version: 9 } });
  const equal = await dual.repair('postgres', { scope: { collection: 'expense', id: 3 } });
  expect(equal).toMatchObject({ matched: 1, counts: { agreed: 1, repaired: 0 } });
});

test('I4: a fork that a worker met is listed, waits, and its dead letter goes with the decision', async () => {
  dual = await filled('json-primary');
  await dual.pool.query(`UPDATE expenses SET version = 5, epoch = 1, notes = 'chain' WHERE id = 5`);
  await run(dual.json, { op: 'update', collection: expense, id: 5, set: setOf({ notes: 'ours' }) });
  await dual.replicated();
  expect(await dual.store.phase.undecided()).toBe(1);
  const one = { collection: 'expense', id: 5 };
  dual.relay();
  dual.work('postgres');
  expect((await dual.repair('json', { scope: one })).counts).toMatchObject({ left: 1 });
  const stale = await dual.repair('json', { scope: one, keep: 'primary' });
  expect(stale.counts).toMatchObject({ repaired: 1 });
  expect(await dual.store.phase.undecided()).toBe(0);
  const dead = await dual.pool.query(`SELECT FROM pgboss.job WHERE name LIKE '%-dead'`);
  expect(dead.rowCount).toBe(0);
  expect(await dual.compare('json')).toMatchObject({ outcome: 'clean' });
});

test('I4: a choice made over one state of a fork does not overwrite a newer write', async () => {
  dual = await filled('json-primary');
  await dual.pool.query(`UPDATE expenses SET version = 5, epoch = 1, notes = 'chain' WHERE id = 5`);
  const write = (notes: string) =>
    run(dual.json, { op: 'update', collection: expense, id: 5, set: setOf({ notes }) });
  await write('ours');
  await dual.replicated();
  const [seen] = await ledger().find({ recordId: 5, isOpen: true }, { limit: 5 });
  await write('newer');
  dual.relay();
  dual.work('postgres');
  const chosen = { entryIds: [seen?.id as number] };
  const held = await dual.repair('json', { scope: chosen, keep: 'secondary' });
  expect(held).toMatchObject({ counts: { left: 1, repaired: 0 } });
  expect((await dual.json.get(expense, 5))?.text).toContain('"notes":"newer"');
  const now = await ledger().find({ recordId: 5, isOpen: true }, { limit: 5 });
  expect(now.map(({ primary }) => primary?.version)).toEqual([2, 3]);
  const again = { entryIds: now.map(({ id }) => id) };
  expect(await dual.repair('json', { scope: again, keep: 'secondary' })).toMatchObject({
    counts: { repaired: 1 },
  });
  expect((await dual.json.get(expense, 5))?.text).toContain('"notes":"chain"');
});

test('an order is taken by one, goes to another when its holder falls silent, and is in the audit log', async () => {
  dual = await openDualStores('json-primary');
  const orders = consistencyOrders(dual.pool);
  const what = { kind: 'repair', scope: { runId: 1 }, keep: null, dryRun: false } as const;
  const id = await orders.place({ what, actor: 'me', reason: 'why' });
  const taken = await Promise.all([orders.take('a'), orders.take('b')]);
  expect(taken.filter((order) => order !== undefined)).toHaveLength(1);
  expect(await orders.take('c')).toBeUndefined();
  const late = { actor: 'you', reason: 'too late' };
  expect(await orders.withdraw(id, late)).toBe(false);
  await dual.pool.query(`UPDATE consistency_orders SET alive_at = now() - interval '1 minute'`);
  expect(await orders.take('c')).toMatchObject({ id, what, takenBy: 'c', actor: 'me' });
  // Whoever fell silent wakes up: the order is no longer its own.
  const woken = taken.find((order) => order !== undefined) as ConsistencyOrder;
  await orders.tell(woken, { done: 99 });
  await orders.finish(woken, 'done', { runId: 1, outcome: 'clean' });
  expect(await orders.read(id)).toMatchObject({ state: 'taken', takenBy: 'c', progress: null });
  const held = { id, takenBy: 'c' };
  await orders.tell(held, { done: 1 });
  await orders.finish(held, 'failed', { problem: 'nobody knows' });
  expect(await orders.read(id)).toMatchObject({
    ...{ state: 'failed', progress: { done: 1 } },
    result: { problem: 'nobody knows' },
  });
  const { rows } = await dual.pool.query('SELECT actor, action, reason FROM audit_log');
  expect(rows).toEqual([{ actor: 'me', action: 'repair', reason: 'why' }]);
});
