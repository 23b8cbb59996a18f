import fc from 'fast-check';
import { TEXTS } from './model-values.ts';

// Texts of `expenses.json` as another program may have left them: spellings, orders and names that a
// parser likes to tidy up.

const SPELLINGS = [
  ...['0', '-0', '-0.0', '1.0', '1.50', '1e2', '1E+2', '1e400', '1e-400', '0.1e1'],
  ...['12345678901234567890.123456789', '9007199254740993', '0.30000000000000004'],
];

const NAMES = [
  ...['tag', '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then'],
  ...['10', '2', '-1', '007', '', ' a b ', 'é', 'e\u0301', '₪', '\u2028', '👩‍👩‍👧', 'ID', 'extra'],
];

const text = fc.oneof(
  fc.constantFrom(...TEXTS, 'x'.repeat(40_000)),
  fc.string({ unit: 'grapheme', maxLength: 20 }).filter((s) => s.isWellFormed() && !/\0/.test(s)),
);

/** A string literal, characters beyond ASCII escaped or not. */
const literal = fc.tuple(text, fc.boolean()).map(([value, escaped]) => {
  const spelled = JSON.stringify(value);
  if (!escaped) return spelled;
  const asEscape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return spelled.replace(/[\u0080-\uffff]/g, asEscape);
});

const members = (value: fc.Arbitrary<string>) =>
  fc
    .uniqueArray(fc.tuple(fc.constantFrom(...NAMES), value), {
      selector: ([name]) => name,
      maxLength: 5,
    })
    .map((pairs) => pairs.map(([name, some]) => `${JSON.stringify(name)}: ${some}`));

/** Any JSON value, as text. */
const { value: anyValue } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...SPELLINGS, 'null', 'true', 'false', '[]', '{ }'),
    literal,
    fc.array(tie('value'), { maxLength: 4 }).map((some) => `[${some.join(' , ')}]`),
    members(tie('value')).map((some) => `{${some.join(',')}}`),
  ),
}));

const amount = fc.oneof(
  fc.constantFrom(
    '0',
    '-0',
    '-0.00',
    '0.10',
    '1e2',
    '150.50',
    '"150.50"',
    '" 1e1 "',
    '99999999.99',
  ),
  fc.integer({ min: -99_999_999, max: 99_999_999 }).map(String),
);

const known = fc.record({
  date: fc.constantFrom('"2025-12-07"', '"2024-02-29"', '"0001-01-01"', '"9999-12-31"'),
  category: literal,
  amount,
  account: literal,
  business: fc.option(literal, { nil: 'null' }),
  notes: fc.option(fc.option(literal, { nil: 'null' }), { nil: undefined }),
  currency: fc.constantFrom('null', '"₪"', '"\\u20aa"', '""', undefined),
});

const asRecord = (some: Record<string, string | undefined>): string[] =>
  Object.entries(some).flatMap(([name, value]) =>
    value === undefined ? [] : [`"${name}":${value}`],
  );

/** A record that fits, its members in any order, with unknown ones among them. */
export const fittingRecord: fc.Arbitrary<string> = fc
  .tuple(known, members(anyValue), fc.infiniteStream(fc.nat()))
  .map(([fields, unknown, order]) => {
    const all = [...asRecord(fields), ...unknown];
    const keys = new Map(all.map((member) => [member, order.next().value as number]));
    const sorted = all.sort((a, b) => (keys.get(a) ?? 0) - (keys.get(b) ?? 0));
    return `{ ${sorted.join(' ,\n')} }`;
  });

/** With the record itself more than `NESTING_MAX`. */
const DEPTHS = [500, 3_000, 50_000];

/** Unknown members that the other store can't hold. */
const unstorable = fc.oneof(
  fc.constantFrom('"odd":"\\ud800"', '"odd":{"a":["\\udc00 x"]}', '"odd":"\\u0000"', '"\\ud83d":1'),
  fc.constantFrom(...DEPTHS).map((depth) => `"deep":${'['.repeat(depth)}${']'.repeat(depth)}`),
  fc.constantFrom(...DEPTHS).map((depth) => `"deep":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`),
);

/** A record that does not fit, kept and served as it is. */
export const misfitRecord: fc.Arbitrary<string> = fc.oneof(
  fc.tuple(known, unstorable).map(([fields, odd]) => `{${[...asRecord(fields), odd].join(',')}}`),
  known.map((fields) => `{${asRecord({ ...fields, date: '"2025-02-30"' }).join(',')}}`),
  known.map((fields) => `{${asRecord({ ...fields, amount: '1.005' }).join(',')}}`),
  known.map((fields) => `{${asRecord({ ...fields, notes: '"\\ud800"' }).join(',')}}`),
  known.map((fields) => `{${asRecord({ ...fields, category: undefined }).join(',')}}`),
);
