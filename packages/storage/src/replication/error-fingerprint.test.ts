import { expect, test } from 'vitest';
import { errorFingerprint, errorTemplate } from './error-fingerprint.ts';

test.each([
  [
    'PostgreSQL refuses this: new row for relation "expenses" violates check constraint "poison_2".',
    'PostgreSQL refuses this: new row for relation "expenses" violates check constraint "poison_2".',
  ],
  [
    'invalid input syntax for type integer: "12a\\"b"',
    'invalid input syntax for type integer: "…"',
  ],
  ['Key (date, id)=(2025-12-07, 5) already exists', 'Key (date, id)=(…) already exists'],
  [
    'Epoch 3, version 12 is held with other content.',
    'Epoch #, version # is held with other content.',
  ],
  ['expense 5: amount must be at most 8 digits', 'expense #: amount must be at most # digits'],
  ['job 6f1c1f7e-8f0c-4a5e-9f3f-0a1b2c3d4e5f at 2025-12-07T10:00:00.000Z', 'job # at #'],
  ["value 'it\\'s' of int4 after -1.5ms", "value '…' of int4 after #ms"],
  ["There isn't room:\n 10,000 bytes", "There isn't room: # bytes"],
])('%j is grouped as %j', (error, template) => {
  expect(errorTemplate(error)).toBe(template);
});

test('the same kind of failure has one fingerprint, another cause or constraint another one', () => {
  const violates = (name: string, id: number) =>
    `expense ${id} violates check constraint "${name}"`;
  const first = errorFingerprint('rejected', violates('a', 1));
  expect(first).toMatch(/^[0-9a-f]{12}$/);
  expect(errorFingerprint('rejected', violates('a', 2_000))).toBe(first);
  expect(errorFingerprint('rejected', violates('b', 1))).not.toBe(first);
  expect(errorFingerprint('defect', violates('a', 1))).not.toBe(first);
  // Written down, so that a change of the rules is a decision.
  expect(first).toBe('e948bb557cab');
});

test('an error is looked at up to a bound', () => {
  const long = 'no '.repeat(10_000);
  expect(errorFingerprint('defect', `${long}room`)).toBe(errorFingerprint('defect', long));
});
