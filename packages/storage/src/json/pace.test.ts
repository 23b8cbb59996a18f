import { expect, test } from 'vitest';
import { MeasuredPace } from './pace.ts';

/** Keeps this thread busy. */
function work(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

test('batches overlap when the disk takes less time than the work on them', () => {
  const pace = new MeasuredPace();
  expect(pace.overlaps(1_000)).toBe(false);
  work(5);
  pace.synced(64, 0);
  expect(pace.overlaps(64)).toBe(true);
  expect(pace.halves(64)).toBe(true);
  expect(pace.halves(2)).toBe(false);
});

test('with a slow disk batches grow instead, however many tasks wait', () => {
  const pace = new MeasuredPace();
  work(5);
  pace.synced(64, 60_000);
  expect(pace.overlaps(4_096)).toBe(false);
  expect(pace.halves(4_096)).toBe(false);
});
