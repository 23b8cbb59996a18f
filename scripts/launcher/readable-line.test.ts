import { prettyFactory } from 'pino-pretty';
import { expect, test } from 'vitest';
import { readableLine } from './readable-line.ts';
import { PRETTY } from './readable-logs.ts';

const TIME = Date.parse('2026-11-22T18:20:59.999Z');
const line = (fields: object, msg?: string, level = 30) =>
  JSON.stringify({ level, time: TIME, process: 'api', ...fields, msg });

const USUAL = [
  line({ reqId: 'a-1', method: 'POST', path: '/api/v1/expense', status: 200, ms: 0.4 }, 'request'),
  line({ collection: 'expense', id: 5 }, 'Dual-write: Created expense 5 in database'),
  line({}, 'Stopped.', 20),
  line({ why: null, of: { a: [1, { b: 'שלום' }] } }, 'Relay: it is away', 40),
];

/** What pino-pretty is asked about, because it shows it in its own way or not at all. */
const OTHERS = [
  line({ err: { type: 'Error', message: 'm', stack: 'Error: m\n  at x' } }, 'failed', 50),
  line({ error: 'e' }, 'failed', 50),
  line({ name: 'tandem' }, 'said by the launcher'),
  line({ path: 'a"b\\c' }, 'request'),
  line({}, 'two\nlines'),
  line({}, ''),
  line({ of: { msg: 'nested' } }),
  line({ of: { msg: 'nested"' } }, 'x'),
  '{"level":30,"time":1,"msg":"early"}',
  '{"level":30,"msg":"no time"}',
  '{"level":30,"time":1764000000000,"msg":"cut o',
  '{broken',
  '{}',
];

test.each([false, true])('a line is shown as pino-pretty shows it (colours: %s)', (colorize) => {
  const pretty = prettyFactory({ colorize, ...PRETTY });
  for (const text of USUAL) expect(readableLine(text, colorize)).toBe(pretty(text));
  for (const text of OTHERS)
    expect([undefined, pretty(text)]).toContain(readableLine(text, colorize));
});
