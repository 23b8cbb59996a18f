import fc from 'fast-check';
import type { Collection } from '../collections/index.ts';
import { expense, income } from './store-fixture.ts';

// Few dates, keys and ids, so that commands of one run meet each other; many odd texts.

export const TEXTS = [
  '',
  'Groceries',
  'קניות שבועיות ₪',
  'a\u202eb\u2066c\u2069',
  '👩‍👩‍👧 🛒',
  'é',
  'e\u0301',
  '\u2028\u2029\u007f\u0085\ufeff',
  '"\\\n\t\b\f\u0001/',
  '\\u0000 {"a":[1e2]}',
  "'; DROP TABLE expenses; --",
  '\ud83d\ude00'.repeat(40),
];

const text = fc.oneof(fc.constantFrom(...TEXTS), fc.string({ unit: 'grapheme', maxLength: 12 }));
const storable = text.filter((value) => !value.includes('\0') && value.isWellFormed());

const amount = fc.oneof(
  fc.constantFrom('0', '-0.00', '150.50', '0.01', '-0.1', '99999999.99', '-99999999.99', '1e3'),
  fc
    .tuple(fc.integer({ min: -999_999, max: 999_999 }), fc.integer({ min: 0, max: 99 }))
    .map(([whole, cents]) => `${whole}.${String(cents).padStart(2, '0')}`),
);

/** A JSON body of a creation; an income ignores `business`. */
export const body = fc.record(
  {
    date: fc.constantFrom('2025-12-07', '2025-12-08', '2024-02-29', '0001-01-01', '9999-12-31'),
    category: storable,
    amount,
    account: storable,
    business: fc.option(storable),
    currency: fc.option(fc.constantFrom('₪', '$', '')),
    notes: fc.option(storable),
  },
  { requiredKeys: ['date', 'category', 'amount', 'account'] },
);

/** A JSON body of an update: some of the fields. */
export const partialBody = fc
  .record(
    { date: fc.constantFrom('2025-12-07', '2023-01-01'), amount, notes: fc.option(storable) },
    { requiredKeys: [] },
  )
  .filter((some) => Object.keys(some).length > 0);

/** Unknown members as JSON text with a comma behind each: odd names and number spellings. */
export const extra = fc.constantFrom(
  '',
  '"tag":1.0,',
  '"10":1e2,"big":123456789012345678901234567890.10,',
  '"__proto__":{"polluted":-0},"constructor":{"prototype":{"polluted":true}},',
  '"deep":{"b":[1E+2,null,[[[]]]],"a":"\\n"},"":"",',
);

export const collection: fc.Arbitrary<Collection> = fc.constantFrom(expense, expense, income);

/** Picks one of the ids a model knows, or one that nobody has. */
export const idChoice = fc.nat({ max: 1_000 });

export const key = fc.option(
  fc.record({
    key: fc.constantFrom('k1', 'k2', 'K1', 'é', '😀', '\uff21'),
    fingerprint: fc.constantFrom('f', 'f', 'f', 'g'),
  }),
  { nil: undefined, freq: 2 },
);
