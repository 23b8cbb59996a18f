import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeUnseenRows, verifiedLast } from '../postgres/index.ts';
import { type DualStores, openDualStores } from '../testing/dual-stores.ts';
import { create, expense, run } from '../testing/store-fixture.ts';

let dual: DualStores;
beforeEach(async () => {
  dual = await openDualStores('json-primary');
});
afterEach(() => dual.drop());

const changed = () => dual.compare('json', { mode: 'changed' });

test('I4: a deleted record that was typed back into psql beside its tombstone is found, and buried again', async () => {
  for (let n = 0; n < 3; n++) await create(dual.json);
  await run(dual.json, { op: 'bulk-delete', collection: expense, ids: [2] });
  await dual.replicated();
  expect(await dual.compare('json')).toMatchObject({ outcome: 'clean' });
  await dual.pool.query(
    `INSERT INTO expenses (id, date, category, amount, account) VALUES (2, '2025-01-01', 'x', 1, 'y')`,
  );
  const found = await changed();
  expect(found.differences).toMatchObject([{ kind: 'extra', subject: { id: 2 } }]);
  dual.relay();
  dual.work('postgres');
  const scope = { collection: 'expense', id: 2 };
  await dual.repair('json', { scope, keep: 'primary' });
  expect(await dual.compare('json')).toMatchObject({ outcome: 'clean' });
  expect(await dual.store.get(expense, 2)).toBeUndefined();
});

test('what the ledger had no room for is looked at again by the next cheap run', async () => {
  await dual.pool.query(
    `INSERT INTO expenses (id, date, category, amount, account)
     SELECT n, '2025-01-01', 'x', 1, 'y' FROM generate_series(1, 10500) AS n`,
  );
  expect((await dual.compare('json')).counts.divergent).toBe(10_500);
  // Mended, but for those the ledger never had; what is typed here marks the lower ranges alone.
  await dual.pool.query('DELETE FROM expenses WHERE id <= 10000');
  await changed();
  expect((await changed()).counts.divergent).toBe(500);
});

test('what no comparison would see does not come in, and what is loaded with triggers off is marked', async () => {
  const typed = (id: number, extra: string) =>
    dual.pool.query(
      `INSERT INTO expenses (id, date, category, amount, account, extra)
       VALUES ($1, '2025-01-01', 'x', 1, 'y', $2)`,
      [id, extra],
    );
  for (const id of [0, -1]) await expect(typed(id, '{}')).rejects.toThrow('id_is_positive');
  for (const extra of ['[]', 'null', '3']) {
    await expect(typed(1, extra)).rejects.toThrow('extra_is_an_object');
  }
  expect(await dual.compare('json')).toMatchObject({ outcome: 'clean', seen: 0 });
  await dual.pool.query(`SET session_replication_role = replica;
    INSERT INTO expenses (id, date, category, amount, account) VALUES (5, '2025-01-01', 'x', 1, 'y');
    SET session_replication_role = origin`);
  expect((await changed()).differences).toMatchObject([{ kind: 'extra', subject: { id: 5 } }]);
  // What came in before the constraint: "tandem doctor" names it.
  const { pool, collections } = dual;
  expect(await describeUnseenRows(pool, collections)).toEqual([]);
  await pool.query('ALTER TABLE expenses DROP CONSTRAINT expenses_id_is_positive');
  for (const id of [0, -1, -2, -3, -4, -5]) await typed(id, '{}');
  expect(await describeUnseenRows(pool, collections)).toEqual([
    expect.stringMatching(/^The table expenses has rows .*: 0, -1, -2, -3, -4 and 1 more\. Give/),
  ]);
});

test('a run counts for the gates of its own epoch alone', async () => {
  await dual.compare('json');
  expect(await verifiedLast(dual.pool, 'json')).toMatchObject({ outcome: 'clean' });
  const move = { actor: 'test', reason: 'Dual write was off for a while.', evidence: {} };
  await dual.store.phase.advance(2, { phase: 'json-primary', epoch: 4 }, move);
  expect(await verifiedLast(dual.pool, 'json')).toBeNull();
  const watermark = { epoch: 4, outboxSeq: 0 };
  await dual.compare('json', { watermark });
  expect(await verifiedLast(dual.pool, 'json')).toMatchObject({ outcome: 'clean' });
});
