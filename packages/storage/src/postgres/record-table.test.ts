import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Item } from '../changes/index.ts';
import { canonicalText } from '../collections/index.ts';
import { type OpenedPostgres, openTestStore } from '../testing/postgres-fixture.ts';
import { allTexts, changeOf, create, expense, expenseText } from '../testing/store-fixture.ts';
import type { PostgresStore } from './index.ts';

let opened: OpenedPostgres;
let store: PostgresStore;
beforeAll(async () => {
  opened = await openTestStore('postgres-only');
  // A server may read and write dates its own way, and give as few digits as it likes.
  const { pool, name } = opened.database;
  await pool.query(`ALTER DATABASE ${name} SET datestyle = 'SQL, DMY'`);
  await pool.query(`ALTER DATABASE ${name} SET extra_float_digits = 0`);
  await pool.query(`ALTER DATABASE ${name} SET timezone = 'America/St_Johns'`);
  // Settings of a database hold for connections made after them.
  store = opened.another();
});
afterAll(() => opened.close());

const STAMP = { epoch: 1, version: 1 };

const text = fc
  .string({ unit: 'binary', maxLength: 40 })
  .filter((value) => value.isWellFormed() && !value.includes('\0'));
const decimal = fc.tuple(fc.integer({ min: -9_999_999_999, max: 9_999_999_999 })).map(([cents]) => {
  const digits = String(Math.abs(cents)).padStart(3, '0');
  const spelling = `${digits.slice(0, -2)}.${digits.slice(-2)}`.replace(/\.?0+$/, '');
  return cents < 0 ? `-${spelling}` : spelling;
});
const day = fc
  .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((date) => date.toISOString().slice(-24, -14));
const extra = fc.option(
  fc
    .dictionary(
      text.filter((name) => name !== '__proto__' && name !== 'id'),
      fc.oneof(
        text.map((value) => JSON.stringify(value)),
        fc.constantFrom('1.0', '1e2', '-0', '12345678901234567890.10', 'null', '{"a":[1.50]}'),
      ),
      { minKeys: 1, maxKeys: 4 },
    )
    .map((members) => {
      const list = Object.entries(members).map(([name, json]) => `${JSON.stringify(name)}:${json}`);
      return `{${list.join(',')}}`;
    }),
);
const parts = fc.record({
  values: fc.record({
    date: day,
    business: fc.option(text),
    category: text,
    amount: decimal.map((spelling) => (spelling === '' || spelling === '-' ? '0' : spelling)),
    account: text,
    currency: text,
    notes: fc.option(text),
  }),
  extra,
});

test('I8: any record the schema can hold comes back as it was', { timeout: 120_000 }, async () => {
  let id = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(parts, { minLength: 1, maxLength: 60 }), async (records) => {
      const texts = records.map((record) => {
        id += 1;
        return { id, text: canonicalText(expense, record, id) };
      });
      const items = texts.map(
        (record): Item => ({
          kind: 'change',
          change: changeOf(record.id, STAMP, null, record.text),
        }),
      );
      const results = await store.apply(items);
      for (const result of results) expect(result).toEqual({ verdict: 'apply' });
      const first = texts[0]?.id as number;
      const stored = await store.scan(expense, first - 1, texts.length);
      expect(stored).toEqual(texts.map((record) => ({ ...STAMP, ...record })));
      // Read back, they equal what arrives again.
      const again = await store.apply(items);
      for (const result of again) expect(result).toEqual({ verdict: 'no-op' });
    }),
    { numRuns: 60 },
  );
});

test.each([
  ['no JSON', 'oops', /is not a JSON object/],
  ['no object', '[1]', /is not a JSON object/],
  [
    'a date that is none',
    expenseText(1, 'x').replace('2025-12-07', '2025-02-30'),
    /does not fit its table: date must be a calendar date/,
  ],
  ['NUL', expenseText(1, 'a\0b'), /must not contain the NUL character/],
  [
    'another spelling',
    expenseText(1, 'x').replace('12.5', '12.50'),
    /is not in its canonical form/,
  ],
  ['another id', expenseText(2, 'x'), /is not in its canonical form/],
])(
  'a text that can not be stored as it is (%s) is rejected for good',
  async (_what, record, reason) => {
    const id = 800_000_001;
    const change = changeOf(id, STAMP, null, record.replace('"id":1}', `"id":${id}}`));
    const [result] = await store.apply([{ kind: 'change', change }]);
    expect(result).toMatchObject({ verdict: 'rejected', permanent: true });
    expect(result?.verdict === 'rejected' ? result.error : '').toMatch(reason);
    expect(await store.get(expense, id)).toBeUndefined();
  },
);

test('extra members typed by hand are read without their spaces, an empty object as none', async () => {
  const { id, text: before } = await create(store, { notes: 'x' });
  const { pool } = opened.database;
  await pool.query(`UPDATE expenses SET extra = '{ "tag" :  1.0 }' WHERE id = ${id}`);
  const withTag = before.replace(`"id":`, `"tag":1.0,"id":`);
  expect((await store.get(expense, id))?.text).toBe(withTag);
  await pool.query(`UPDATE expenses SET extra = '{ }' WHERE id = ${id}`);
  expect((await store.get(expense, id))?.text).toBe(before);
});

test('the table itself holds out what its types would let in', async () => {
  const { pool } = opened.database;
  const insert = (date: string, amount: string) =>
    pool.query(
      `INSERT INTO expenses (date, category, amount, account) VALUES ('${date}', 'c', '${amount}', 'a')`,
    );
  await expect(insert('infinity', '1')).rejects.toMatchObject({ code: '23514' });
  await expect(insert('2025-01-01', 'NaN')).rejects.toMatchObject({ code: '23514' });
});

test('SELECT * FROM expenses shows what the API returns, and extra, version and epoch', async () => {
  const fresh = await openTestStore('postgres-only');
  try {
    await create(fresh.store, { notes: 'Weekly shopping', business: 'ampm' });
    const shown = await fresh.database.pool.query('SELECT * FROM expenses');
    expect(shown.rows).toEqual([
      {
        ...{ id: 1, date: '2025-12-07', business: 'ampm', category: 'Groceries' },
        ...{ amount: '150.50', account: 'Cash', currency: '₪', notes: 'Weekly shopping' },
        ...{ extra: null, version: 1, epoch: 1 },
      },
    ]);
    expect(await allTexts(fresh.store)).toHaveLength(1);
  } finally {
    await fresh.close();
  }
});
