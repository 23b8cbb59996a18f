import { expect, test } from 'vitest';
import { queueWaitSeconds } from './queue-wait.ts';

test('a job that was seen in passing does not grow old by when it was looked at', () => {
  expect(queueWaitSeconds(0.04, 4.9)).toBe(0.04);
  expect(queueWaitSeconds(null, 4.9)).toBe(0);
});

test('one that waited when the database was last heard of waits on', () => {
  expect(queueWaitSeconds(3, 300)).toBe(303);
});
