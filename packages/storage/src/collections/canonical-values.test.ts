import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { expense, expenseText } from '../testing/store-fixture.ts';
import { canonicalText, canonicalValues, readRecord } from './index.ts';

const seed = Number(process.env.TANDEM_SEED ?? Math.floor(Math.random() * 2 ** 31));

const text = fc.string({ unit: 'binary', maxLength: 20 });
const parts = fc.record({
  values: fc.record({
    date: fc.constantFrom('2025-12-07', '0001-01-01', '2024-02-29', '2025-02-29', '', '2025-1-1'),
    business: fc.option(text),
    category: text,
    amount: fc.constantFrom('0', '-0', '150.5', '-0.05', '12345678.12', '1.50', '01', '1e2', '.5'),
    account: fc.oneof(text, fc.constantFrom('a"b', 'a\\', '\\"', 'שופרסל בע"מ', '\u2028', '\t')),
    currency: fc.option(text),
    notes: fc.option(text),
  }),
  extra: fc.constantFrom(null, null, '{"tag":1.0}'),
});

test(`I8: what is read by its shape is what the exact reader reads (seed ${seed})`, async () => {
  await fc.assert(
    fc.property(parts, fc.integer({ min: 1, max: 99 }), (given, id) => {
      const canonical = canonicalText(expense, given, id);
      const values = canonicalValues(expense, canonical, id);
      const read = exactly(canonical);
      const isPlain =
        read?.ok === true && read.extra === null && canonicalText(expense, read, id) === canonical;
      expect(values).toEqual(isPlain ? expense.fields.map((f) => read.values[f.name]) : undefined);
    }),
    { seed, numRuns: 3_000 },
  );
});

function exactly(canonical: string): ReturnType<typeof readRecord> | undefined {
  try {
    return readRecord(expense, canonical);
  } catch {
    return undefined; // `01` and `.5` are no JSON.
  }
}

test.each([
  ['another id', expenseText(2, 'x'), 1],
  ['a space', expenseText(1, 'x').replace(':', ': '), 1],
  ['an unknown field', expenseText(1, 'x').replace('"id"', '"tag":1,"id"'), 1],
  ['something after it', `${expenseText(1, 'x')} `, 1],
  ['nothing', '', 1],
  ['half of it', expenseText(1, 'x').slice(0, 40), 1],
  ['an array', '[1]', 1],
  ['a control character', expenseText(1, 'a\nb').replace('\\n', '\n'), 1],
  ['an escape that is not needed', expenseText(1, 'a/b').replace('/', '\\/'), 1],
])('%s is left to the exact reader', (_what, given, id) => {
  expect(canonicalValues(expense, given, id)).toBeUndefined();
});
