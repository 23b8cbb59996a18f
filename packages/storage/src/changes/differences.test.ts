import { expect, test } from 'vitest';
import { planDifference } from './differences.ts';
import { judge } from './guard.ts';

const STEP = { epoch: 5, at: '2026-01-01T00:00:00.000Z' };
const plan = (from: string | null, to: string | null, text: string | null | undefined) =>
  planDifference(
    'expense',
    { id: 7, from, to },
    text === undefined ? undefined : { epoch: 2, version: 3, text },
    STEP,
  );

test('I4: an edit of what is there becomes its next version, also over a tombstone', () => {
  const base = { epoch: 2, version: 3 };
  const change = { collection: 'expense', id: 7, epoch: 5, version: 4, base, at: STEP.at };
  expect(plan('a', 'b', 'a')).toEqual({ ...change, op: 'update', record: 'b' });
  expect(plan('a', null, 'a')).toEqual({ ...change, op: 'delete', record: null });
  const revived = plan(null, 'b', null);
  expect(revived).toEqual({ ...change, op: 'create', record: 'b' });
  if (typeof revived === 'string') throw new Error(revived);
  expect(judge(revived, { ...base, text: null })).toBe('apply');
  expect(plan(null, 'b', undefined)).toMatchObject({ op: 'create', version: 1, base: null });
});

test('an edit that is there already is settled; one of something else is a conflict', () => {
  expect(plan('a', 'b', 'b')).toBe('settled');
  expect(plan('a', null, null)).toBe('settled');
  expect(plan('a', null, undefined)).toBe('settled');
  expect(plan('a', 'b', 'c')).toBe('conflict');
  expect(plan('a', 'b', null)).toBe('conflict');
  expect(plan(null, 'b', 'c')).toBe('conflict');
});
