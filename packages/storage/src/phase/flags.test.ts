import { expect, test } from 'vitest';
import { resolveFlags } from './flags.ts';
import { flagsOf, nextPhase, PHASES, phaseOf } from './phases.ts';

const unreadable = { read: false, why: 'The server is unreachable.' } as const;
const on = { USE_DATABASE_STORAGE: true, DUAL_WRITE_ENABLED: true };

test('the environment wins over the table, the table over what was seen before', () => {
  const table = { read: true, rows: { DUAL_WRITE_ENABLED: true } } as const;
  const { flags, desired } = resolveFlags({ USE_DATABASE_STORAGE: true }, table, null);
  expect(flags.USE_DATABASE_STORAGE).toMatchObject({ value: true, source: 'environment' });
  expect(flags.DUAL_WRITE_ENABLED).toMatchObject({ value: true, source: 'table' });
  expect(desired).toBe('postgres-primary');
  expect(resolveFlags({ USE_DATABASE_STORAGE: false }, table, on).desired).toBe('json-primary');
});

test('a table without a row means false; a table that cannot be read does not', () => {
  expect(resolveFlags({}, { read: true, rows: {} }, on).desired).toBe('json-only');
  const { flags, desired } = resolveFlags({}, unreadable, on);
  expect(desired).toBe('postgres-primary');
  expect(flags.DUAL_WRITE_ENABLED.source).toBe('last-known');
});

test('nothing known at all is false, and says so', () => {
  const { flags, desired } = resolveFlags({}, unreadable, null);
  expect(desired).toBe('json-only');
  expect(flags.DUAL_WRITE_ENABLED).toEqual({
    value: false,
    source: 'default',
    reason: 'The server is unreachable. No value was seen before.',
  });
});

test('every phase is chosen by its flags, and neighbours lead from any phase to any other', () => {
  for (const from of PHASES) {
    expect(phaseOf(flagsOf(from))).toBe(from);
    for (const to of PHASES) {
      const way = [];
      for (let at = from; at !== to; at = nextPhase(at, to) ?? to) way.push(at);
      expect(way).toHaveLength(Math.abs(PHASES.indexOf(from) - PHASES.indexOf(to)));
    }
  }
});
