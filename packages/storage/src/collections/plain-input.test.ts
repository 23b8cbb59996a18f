import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { expense } from '../testing/store-fixture.ts';
import { parseExact, readCreate, readPlainCreate, readPlainUpdate, readUpdate } from './index.ts';

const seed = Number(process.env.TANDEM_SEED ?? Math.floor(Math.random() * 2 ** 31));

const names = [...expense.fields.map(({ name }) => name), 'id', 'tag', 'da', '__proto__', 'no"te'];
const spelledText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }).map((text) => JSON.stringify(text.toWellFormed())),
  fc.constantFrom('"2025-12-07"', '"2025-02-29"', '"שופרסל"', '"1e2"', '" 5 "', '"\\u0041"', '""'),
);
const spelledNumber = fc.constantFrom(
  ...['0', '-0', '150.50', '1e2', '1E-2', '12345678.12', '123456789', '0.001', '1.5e400', '-7'],
  ...['01', '.5', '1.', '+1', 'NaN', '0x1', '1e', 'null', 'true', '[1]', '{"a":1}', ''],
);
const space = fc.constantFrom('', '', '', ' ', '  ', '\n', '\t');
const member = fc
  .tuple(space, fc.constantFrom(...names), space, fc.oneof(spelledText, spelledNumber), space)
  .map(([a, name, b, value, c]) => `${a}${JSON.stringify(name)}:${b}${value}${c}`);
/** Most are good, so that most are read: one in a few is of any members. */
const usual = fc
  .shuffledSubarray(['"category":"c"', '"account":"a"', '"notes":null', '"business":"שלום"'])
  .chain((some) =>
    fc
      .tuple(fc.constantFrom('"2025-12-07"', '"x"'), spelledNumber)
      .map(([date, amount]) => [...some, `"date":${date}`, `"amount":${amount}`]),
  );
const body = fc
  .tuple(
    fc.oneof(usual, fc.array(member, { maxLength: 6 })),
    space,
    fc.constantFrom('', '', ' ', 'x', ','),
  )
  .map(([members, before, after]) => `${before}{${members.join(',')}}${after}`);

test(`I8: a body read by its form is what the exact reader makes of it (seed ${seed})`, async () => {
  let read = 0;
  await fc.assert(
    fc.property(body, (text) => {
      const created = readPlainCreate(expense, text);
      const updated = readPlainUpdate(expense, text);
      if (created === undefined && updated === undefined) return;
      read++;
      const value = parseExact(text);
      if (created !== undefined) {
        expect(readCreate(expense, value)).toEqual({ ok: true, values: created });
        expect(Object.keys(created)).toEqual(expense.fields.map(({ name }) => name));
      }
      expect(readUpdate(expense, value)).toEqual({ ok: true, values: updated });
    }),
    { seed, numRuns: 4_000 },
  );
  expect(read).toBeGreaterThan(0);
});

const GOOD = '"date":"2025-12-07","category":"c","amount":150.50,"account":"a"';

test.each([
  ['as JSON.stringify writes it', `{${GOOD}}`],
  ['as other languages write it', `{${GOOD.replaceAll(':', ': ').replaceAll(',', ', ')}}`],
  ['in another order', `{"account":"a","amount":150.50,"category":"c","date":"2025-12-07"}`],
])('the usual body is read at once: %s', (_what, text) => {
  const values = { date: '2025-12-07', category: 'c', amount: '150.5', account: 'a' };
  const optional = { business: null, currency: '₪', notes: null };
  expect(readPlainCreate(expense, text)).toEqual({ ...values, ...optional });
  expect(readPlainUpdate(expense, text)).toEqual(values);
});

test.each([
  ['a repeated name', `{${GOOD},"date":"2025-12-08"}`],
  ['a repeated name, null at first', `{"notes":null,${GOOD},"notes":"x"}`],
  ['an unknown name', `{${GOOD},"tag":1}`],
  ['an escape', `{${GOOD},"notes":"\\n"}`],
  ['a control character', `{${GOOD},"notes":"\n"}`],
  ['a number for a text', `{${GOOD},"notes":1}`],
  ['more decimals than two', `{"date":"2025-12-07","category":"c","amount":1.005,"account":"a"}`],
  ['a comma too many', `{${GOOD},}`],
  ['something behind it', `{${GOOD}}{}`],
  ['no end', `{${GOOD}`],
  ['a string without its end', `{${GOOD},"notes":"x}`],
  ['an array', `[${GOOD}]`],
  ['nothing', ''],
])('%s is left to the exact reader', (_what, text) => {
  expect(readPlainCreate(expense, text)).toBeUndefined();
  expect(readPlainUpdate(expense, text)).toBeUndefined();
});
