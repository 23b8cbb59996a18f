import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { newDatabase } from './database.ts';
import { call, EXPENSE_ROWS, query } from './record-client.ts';
import { startTandem, temporaryFolder } from './tandem-process.ts';

const WAIT = { timeout: 30_000, interval: 100 };

/** As the legacy application wrote it: Python's json.dump, indented, with escapes. */
const expenses = (count: number): string =>
  `[\n${Array.from(
    { length: count },
    (_, index) => `  {
    "date": "2025-11-${String(index + 1).padStart(2, '0')}",
    "business": "shop ${index}",
    "category": "Food",
    "amount": ${index}.50,
    "account": "12345",
    "currency": "\\u20aa",
    "notes": "",
    "id": ${index + 1}
  }`,
  ).join(',\n')}\n]`;

const INCOMES = `[{"date": "2025-11-01", "category": "Salary", "amount": "23000.00",
  "account": "12345", "currency": "\\u20aa", "notes": ""}]`;

test('a legacy folder is adopted where it lies, served, and arrives in PostgreSQL', async () => {
  const home = temporaryFolder();
  const jsonDir = join(home, 'legacy');
  mkdirSync(jsonDir);
  writeFileSync(join(jsonDir, 'expenses.json'), expenses(11));
  writeFileSync(join(jsonDir, 'incomes.json'), INCOMES);
  const url = await newDatabase();
  const tandem = startTandem({
    DATA_DIR: join(home, 'data'),
    JSON_DIR: jsonDir,
    DATABASE_URL: url,
    FF_DUAL_WRITE_ENABLED: 'true',
  });
  const origin = await tandem.ready();
  const list = (await call(origin, 'GET', '/api/v1/expense')).body as { id: number }[];
  expect(list.map(({ id }) => id)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1]);
  expect((await call(origin, 'GET', '/api/v1/income')).body).toMatchObject([
    { id: 1, amount: 23_000, currency: '₪' },
  ]);
  const sent = { date: '2025-12-01', category: 'Food', amount: 1, account: 'Cash' };
  const created = await call(origin, 'POST', '/api/v1/expense', sent);
  expect(created.body).toMatchObject({ expense: { id: 12 } });
  const rows = async () =>
    (await query(url, EXPENSE_ROWS)).sort((a, b) => +(b.id as number) - +(a.id as number));
  await vi.waitUntil(async () => (await rows()).length === 12, WAIT);
  expect((await rows()).slice(1)).toEqual(list);
  expect(await query(url, 'SELECT id, amount::text FROM incomes')).toEqual([
    { id: 1, amount: '23000.00' },
  ]);
  expect(await tandem.interrupt()).toBe(0);
});
