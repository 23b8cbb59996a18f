import type { ProcessWork } from '@tandem/storage/phase';
import { expect, test } from 'vitest';
import { shadowReadsOf, WorkRates } from './work-rates.ts';

const READS = { equal: 1, lag: 0, mismatch: 2, dropped: 0, failed: 0 };

function at(id: string, second: number, counts: Partial<ProcessWork> | null) {
  const seenAt = new Date(second * 1_000).toISOString();
  const nothing = { written: 0, applied: 0, failed: 0, lagMs: null, shadowReads: READS };
  return { id, seenAt, work: counts === null ? null : { ...nothing, ...counts } };
}

test('rates are of the time between two signs of life, whenever they are looked at', () => {
  const rates = new WorkRates();
  const quiet = { written: 0, applied: 0, failed: 0, lagSeconds: null };
  expect(rates.look([at('api', 10, { written: 500 }), at('worker', 10, null)])).toEqual(quiet);
  const busy = [at('api', 12, { written: 600 }), at('worker', 12, { applied: 90, lagMs: 340 })];
  expect(rates.look(busy)).toEqual({ written: 50, applied: 0, failed: 0, lagSeconds: 0.3 });
  // No newer sign of life: they still do what they did.
  expect(rates.look(busy)).toEqual({ written: 50, applied: 0, failed: 0, lagSeconds: 0.3 });
  const later = [at('api', 16, { written: 600 }), at('worker', 14, { applied: 190, failed: 1 })];
  expect(rates.look(later)).toEqual({ written: 0, applied: 50, failed: 0.5, lagSeconds: null });
  // One that began anew counts from 0 under another name.
  expect(rates.look([at('another api', 18, { written: 3 })])).toEqual(quiet);
});

test('shadow reads of all processes are summed', () => {
  expect(shadowReadsOf([at('a', 1, {}), at('b', 1, {}), at('c', 1, null)])).toEqual({
    ...{ equal: 2, lag: 0, mismatch: 4, dropped: 0, failed: 0 },
  });
});
