import { expect, test } from 'vitest';
import { isBeyond } from './memory-bound.ts';

const LIMITS = { heap: 1_000, all: 2_000 };

test.each([
  ['within both', { heap: 1_000, all: 2_000 }, false, false],
  ['a full heap', { heap: 1_001, all: 1_001 }, false, true],
  ['buffers outside of the heap', { heap: 10, all: 2_001 }, false, true],
  ['not yet clearly below', { heap: 951, all: 951 }, true, true],
  ['clearly below', { heap: 950, all: 1_900 }, true, false],
])('memory: %s', (_, use, wasBeyond, isNow) => {
  expect(isBeyond(use, LIMITS, wasBeyond)).toBe(isNow);
});
