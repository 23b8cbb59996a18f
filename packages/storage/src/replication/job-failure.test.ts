import { expect, test } from 'vitest';
import { type JobFailure, NEVER_FAILED, nextFailure, readPastFailures } from './job-failure.ts';

const at = (n: number) => new Date(n).toISOString();

test('a job keeps the error of each attempt, the first and the latest of many', () => {
  let failure: JobFailure = nextFailure(NEVER_FAILED, { cause: 'rejected', error: 'no 0' }, at(0));
  for (let n = 1; n < 40; n++) {
    failure = nextFailure(readPastFailures(failure), { cause: 'defect', error: `no ${n}` }, at(n));
  }
  expect(failure).toMatchObject({ failures: 40, error: 'no 39', cause: 'defect', at: at(39) });
  expect(failure.attempts).toHaveLength(16);
  expect(failure.attempts[0]).toEqual({ cause: 'rejected', error: 'no 0', at: at(0) });
  expect(failure.attempts.slice(1).map(({ error }) => error)).toEqual(
    Array.from({ length: 15 }, (_, n) => `no ${25 + n}`),
  );
});

test('what jsonb can not hold is replaced, and what is long is cut', () => {
  const error = `bad \0 byte and \ud800 half ${'😀'.repeat(10_000)}`;
  const failure = nextFailure(NEVER_FAILED, { cause: 'rejected', error }, at(0));
  expect(failure.error).toMatch(/^bad \uFFFD byte and \uFFFD half 😀/);
  expect(failure.error.isWellFormed()).toBe(true);
  expect(JSON.stringify(failure).length).toBeLessThan(6_000);
});

test('a failure that is none of ours counts nothing', () => {
  for (const output of [null, 5, [], { value: { message: 'job timed out' } }, { failures: '3' }]) {
    expect(readPastFailures(output)).toEqual(NEVER_FAILED);
  }
  expect(readPastFailures({ failures: 2, attempts: [{ at: 'x' }], redriven: 1 })).toEqual({
    ...{ failures: 2, attempts: [], redriven: 1 },
  });
});
