import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { FieldValues } from '@tandem/storage/collections';

const BUSINESSES = ['ampm', 'שופרסל', 'Rami Levy', 'Super-Pharm', 'קפה גרג', 'Dor Alon'];
const CATEGORIES = ['Groceries', 'Transport', 'Health', 'Eating out', 'Home'];
const ACCOUNTS = ['Cash', '12345', 'Visa 4242'];
const DAYS = 3_650;
const DAY_MS = 86_400_000;
const FIRST_DAY_MS = Date.UTC(2016, 0, 1);

const pick = (list: readonly string[], n: number): string => list[n % list.length] as string;

/** The `n`th expense of a household: about 190 bytes as JSON, some of it Hebrew. */
export const expenseValues = (n: number): FieldValues => ({
  date: new Date(FIRST_DAY_MS + ((n * 7_919) % DAYS) * DAY_MS).toISOString().slice(0, 10),
  business: pick(BUSINESSES, n),
  category: pick(CATEGORIES, n * 3),
  amount: `${(n % 997) + 1}.${(n % 9) + 1}`,
  account: pick(ACCOUNTS, n * 5),
  currency: '₪',
  notes: n % 3 === 0 ? null : `Weekly shopping, receipt ${n}`,
});

/** Writes a legacy file with this many expenses, as the legacy application would have left it. */
export async function writeLegacyExpenses(path: string, count: number): Promise<void> {
  const out = createWriteStream(path);
  out.write('[');
  for (let n = 1; n <= count; n++) {
    const { amount, ...values } = expenseValues(n);
    const { date, business, category, ...rest } = values;
    const record = { date, business, category, amount: Number(amount), ...rest, id: n };
    const text = JSON.stringify(record, undefined, 2).replaceAll('\n', '\n  ');
    if (!out.write(`${n === 1 ? '' : ','}\n  ${text}`)) await once(out, 'drain');
  }
  out.end('\n]\n');
  await once(out, 'close');
}
