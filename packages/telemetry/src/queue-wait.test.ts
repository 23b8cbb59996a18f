import { expect, test } from 'vitest';
import { journalWaitSeconds, queueWaitSeconds } from './queue-wait.ts';

test('a job that was seen in passing does not grow old by when it was looked at', () => {
  expect(queueWaitSeconds(0.04, 4.9)).toBe(0.04);
  expect(queueWaitSeconds(null, 4.9)).toBe(0);
});

test('one that waited when the database was last heard of waits on', () => {
  expect(queueWaitSeconds(3, 300)).toBe(303);
});

test('what was seen in the journal grows old for as long as it is there, and no longer', () => {
  const at = new Date(Date.now() - 5_000).toISOString();
  const seen = { value: { seq: 7, at }, ageSeconds: 2 };
  expect(journalWaitSeconds(seen, 7)).toBeCloseTo(5, 0);
  // The relay has taken it since: it had waited 3 s when it was seen.
  expect(journalWaitSeconds(seen, 8)).toBeCloseTo(3, 0);
  expect(journalWaitSeconds(undefined, 8)).toBe(0);
});
