import { afterEach, beforeEach, expect, test } from 'vitest';
import { divergenceLedger } from '../postgres/index.ts';
import { type DualStores, openDualStores } from '../testing/dual-stores.ts';
import { create, expense, run, setOf } from '../testing/store-fixture.ts';
import type { LedgerEntry } from './divergence-ledger.ts';

let dual: DualStores;
beforeEach(async () => {
  dual = await openDualStores('json-primary');
});
afterEach(() => dual.drop());

const all = () => divergenceLedger(dual.pool).find({}, { limit: 100 });
const shortly = (entries: readonly LedgerEntry[]) =>
  entries.map(({ subject, class: name, resolution, foundBy }) => ({
    ...{ name: 'key' in subject ? subject.key : subject.id, class: name, resolution, foundBy },
  }));

test('every difference is listed once, however often it is seen, and ends with the run that no longer finds it', async () => {
  for (let n = 0; n < 4; n++) await create(dual.json, { notes: `n${n}` });
  await dual.json.write({
    command: { op: 'delete', collection: expense, id: 4 },
    key: { key: 'kept', fingerprint: 'f' },
  });
  await dual.replicated();
  await dual.pool.query(`
    DELETE FROM expenses WHERE id = 1;
    UPDATE expenses SET notes = 'typed' WHERE id IN (2, 3);
    DELETE FROM idempotency_keys`);
  const first = await dual.compare('json');
  const ledger = divergenceLedger(dual.pool);
  // A shadow read met one of them, too, and one more.
  const mismatch = { class: 'divergent', kind: 'different' } as const;
  const seen = [2, 9].map((id) => ({ ...mismatch, subject: { collection: 'expense', id } }));
  await ledger.report(seen, { foundBy: 'shadow-read', into: 'postgres' });
  const second = await dual.compare('json');
  const open = await all();
  expect(shortly(open)).toEqual([
    { name: 1, class: 'divergent', resolution: null, foundBy: 'verify' },
    { name: 2, class: 'conflict', resolution: null, foundBy: 'verify' },
    { name: 3, class: 'conflict', resolution: null, foundBy: 'verify' },
    { name: 'kept', class: 'divergent', resolution: null, foundBy: 'verify' },
    { name: 9, class: 'divergent', resolution: 'by-itself', foundBy: 'shadow-read' },
  ]);
  expect(open[1]).toMatchObject({
    primary: { epoch: 2, version: 1, text: expect.stringContaining('"notes":"n1"') },
    secondary: { epoch: 2, version: 1, text: expect.stringContaining('"notes":"typed"') },
    ...{ into: 'postgres', lastRun: second.id },
  });
  // No id is used up by seeing one again.
  expect(open.map(({ id }) => id)).toEqual([1, 2, 3, 4, 5]);
  expect(open[1]?.firstSeen).not.toBe(open[1]?.lastSeen);
  expect(first.counts).toEqual(second.counts);
  expect(await dual.store.phase.overBudget()).toEqual([
    { collection: 'expense', open: 3, allowed: 0 },
    { collection: 'key', open: 1, allowed: 0 },
  ]);

  // One is typed back, one is overtaken by a write, one is repaired.
  await dual.pool.query(`UPDATE expenses SET notes = 'n1' WHERE id = 2`);
  await run(dual.json, { op: 'update', collection: expense, id: 3, set: setOf({ notes: 'new' }) });
  await ledger.repairing([open[0]?.id as number]);
  await run(dual.json, { op: 'update', collection: expense, id: 1, set: setOf({ notes: 'new' }) });
  await dual.replicated();
  await dual.pool.query(`DELETE FROM divergences WHERE key IS NOT NULL`);
  await dual.compare('json');
  expect((await all()).map(({ resolution }) => resolution)).toEqual([
    ...['repaired', 'by-itself', 'superseded', 'by-itself', null],
  ]);
  expect((await all()).at(-1)?.subject).toEqual({ key: 'kept' });
  await dual.pool.query(`INSERT INTO divergence_budgets VALUES ('key', 1)`);
  expect(await dual.store.phase.overBudget()).toEqual([]);
});
