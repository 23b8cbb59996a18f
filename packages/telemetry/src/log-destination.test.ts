import { pino } from 'pino';
import { expect, test } from 'vitest';
import { logDestination } from './log-destination.ts';

const failure = (code: string) => Object.assign(new Error(code), { code });

test('lines are written together, at once with a warning, whole over a full pipe', () => {
  const written: string[] = [];
  let full = 2;
  const log = pino(
    {},
    logDestination((bytes) => {
      if (full-- > 0) throw failure('EAGAIN');
      const some = bytes.subarray(0, 10);
      written.push(some.toString());
      return some.length;
    }),
  );
  log.info('one');
  expect(written).toEqual([]);
  log.warn('two');
  const lines = written
    .join('')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).msg);
  expect(lines).toEqual(['one', 'two']);
});

test('once nobody reads, lines are dropped, and nothing waits or throws', () => {
  let tries = 0;
  const log = pino(
    {},
    logDestination(() => {
      tries += 1;
      throw failure('EPIPE');
    }),
  );
  log.warn('one');
  log.warn('two');
  expect(tries).toBe(1);
});
