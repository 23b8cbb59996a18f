import { afterEach, beforeEach, expect, test } from 'vitest';
import { divergenceLedger, keepJsonDisagreements } from '../postgres/index.ts';
import { type DualStores, openDualStores } from '../testing/dual-stores.ts';
import { changeOf, create, expense, expenseText, run, setOf } from '../testing/store-fixture.ts';
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

test('I4: a secondary that was edited after applying met a fork has its text in the ledger before it is overwritten', async () => {
  const ledger = divergenceLedger(dual.pool);
  const [ours, theirs] = [expenseText(5, 'ours'), expenseText(5, 'theirs')];
  const change = changeOf(5, { epoch: 2, version: 9 }, null, ours);
  const stored = { id: 5, epoch: 1, version: 1, text: theirs };
  await keepJsonDisagreements(dual.pool)([{ class: 'fork', change, stored }]);
  const seen = (text: string) =>
    ledger.report(
      [
        {
          ...{ class: 'fork', kind: 'different', subject: { collection: 'expense', id: 5 } },
          ...{ primary: { epoch: 2, version: 9, text: ours } },
          secondary: { epoch: 1, version: 1, text },
        },
      ],
      { foundBy: 'verify', into: 'json' },
    );
  await seen(theirs);
  expect(await all()).toHaveLength(1);
  const typed = expenseText(5, 'typed');
  for (let times = 0; times < 2; times++) await seen(typed);
  expect((await all()).map(({ secondary }) => secondary?.text)).toEqual([theirs, typed]);
});

test('what ended long ago is forgotten; what is open never', async () => {
  const ledger = divergenceLedger(dual.pool);
  await ledger.report(
    [1, 2, 3].map((id) => ({
      ...{ class: 'divergent', kind: 'different', subject: { collection: 'expense', id } },
    })),
    { foundBy: 'verify', into: 'postgres' },
  );
  await dual.pool.query(`
    UPDATE divergences SET first_seen = now() - interval '1 year',
      resolved_at = CASE record_id WHEN 1 THEN now() - interval '181 days'
        WHEN 2 THEN now() - interval '179 days' END`);
  await ledger.forgetEnded();
  expect((await all()).map(({ id }) => id)).toEqual([2, 3]);
});
