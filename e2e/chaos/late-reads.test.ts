import { expect, test } from 'vitest';
import { seenFromMs } from './late-reads.ts';

const SLEPT = new Map([['api-2', [{ fromMs: 90_000, toMs: 110_000 }]]]);

test.for([
  ['long before the switch', 'api-1', [99_000, 99_500], 99_000],
  ['across the switch', 'api-1', [99_900, 100_200], 99_900],
  ['before the next look', 'api-1', [100_100, 100_200], 100_000],
  ['after it', 'api-1', [103_500, 103_600], 103_500],
  ['of one that slept across the switch', 'api-2', [109_900, 110_100], 100_000],
  ['of one that has woken up', 'api-2', [114_000, 114_100], 114_000],
] as const)('I6: a read %s is as old as it may be', ([, via, [startMs, endMs], seen]) => {
  expect(seenFromMs({ via, startMs, endMs }, { toJsonMs: [100_000], sleeps: SLEPT })).toBe(seen);
});
