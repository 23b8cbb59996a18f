import { expect, test } from 'vitest';
import { VerifyPace } from './verify-pace.ts';

test('a comparison rests after a part in which something was written, or may have been, and not for long', () => {
  let writes = 0;
  const pace = new VerifyPace(() => writes);
  expect(pace.isWritten).toBe(true);
  expect(pace.restMs(60)).toBe(0);
  expect(pace.isWritten).toBe(false);
  writes += 1;
  expect(pace.restMs(20)).toBeCloseTo(180);
  expect(pace.isWritten).toBe(true);
  expect(pace.restMs(60)).toBe(0);
  writes += 1;
  expect(pace.restMs(60_000)).toBe(500);
  const unknown = new VerifyPace(undefined);
  expect(unknown.restMs(20)).toBeCloseTo(180);
});
