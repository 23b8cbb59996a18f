import { expect, test } from 'vitest';
import {
  FLAGS_SETTLE_MS,
  type SettlingFlags,
  settleFlags,
  settlesInMs,
  sightFlags,
} from './desired-phase.ts';
import type { FlagTable } from './flags.ts';
import { flagsOf, type Phase, type PhaseFlags } from './phases.ts';

const tableOf = (phase: Phase): FlagTable => ({ read: true, rows: flagsOf(phase) });
const UNREADABLE: FlagTable = { read: false, why: 'The server is unreachable.' };

/** Folds looks at the table, each at its millisecond; `null` for one that failed. */
function fold(
  looks: readonly (readonly [atMs: number, Phase | null])[],
  { locked = {}, lastKnown = null as PhaseFlags | null } = {},
): SettlingFlags {
  let settling: SettlingFlags | null = null;
  for (const [atMs, phase] of looks) {
    const table = phase === null ? UNREADABLE : tableOf(phase);
    const sighting = sightFlags(locked, table, settling?.table ?? lastKnown);
    settling = settleFlags(settling, sighting, atMs);
  }
  if (settling === null) throw new Error('There was no look.');
  return settling;
}

const desired = (...all: Parameters<typeof fold>) => fold(...all).current.desired;

test('the first look counts at once, another combination after it has stood', () => {
  expect(desired([[0, 'json-primary']])).toBe('json-primary');
  const change = [
    [0, 'json-primary'],
    [10, 'postgres-primary'],
  ] as const;
  expect(desired([...change, [9 + FLAGS_SETTLE_MS, 'postgres-primary']])).toBe('json-primary');
  expect(desired([...change, [10 + FLAGS_SETTLE_MS, 'postgres-primary']])).toBe('postgres-primary');
});

test('two flags typed one after the other never count as the phase between', () => {
  // json-only to postgres-primary by way of postgres-only.
  const looks = [
    [0, 'json-only'],
    [100, 'postgres-only'],
    [1_900, 'postgres-primary'],
    [2_200, 'postgres-primary'],
    [3_899, 'postgres-primary'],
  ] as const;
  for (let upTo = 1; upTo <= looks.length; upTo++) {
    expect(desired(looks.slice(0, upTo))).toBe('json-only');
  }
  expect(desired([...looks, [3_900, 'postgres-primary']])).toBe('postgres-primary');
});

test('a change that is taken back in time is none', () => {
  const settling = fold([
    [0, 'json-primary'],
    [10, 'json-only'],
    [20, 'json-primary'],
    [5_000, 'json-primary'],
  ]);
  expect(settling).toMatchObject({ current: { desired: 'json-primary' }, candidate: null });
});

test('a table that can not be read keeps the last values, and what was not yet counted waits anew', () => {
  const settling = fold([
    [0, 'json-primary'],
    [10, 'postgres-primary'],
    [500, null],
    [60_000, null],
  ]);
  expect(settling.current).toMatchObject({
    desired: 'json-primary',
    flags: { DUAL_WRITE_ENABLED: { value: true, source: 'last-known' } },
  });
  expect(settling.table).toEqual(flagsOf('json-primary'));
  expect(settling.candidate).toBeNull();
  const back = [
    [0, 'json-primary'],
    [10, 'postgres-primary'],
    [500, null],
    [60_000, 'postgres-primary'],
  ] as const;
  expect(desired(back)).toBe('json-primary');
  expect(desired([...back, [62_000, 'postgres-primary']])).toBe('postgres-primary');
});

test('what was known before the start stands until the table was read', () => {
  const lastKnown = flagsOf('postgres-only');
  expect(desired([[0, null]], { lastKnown })).toBe('postgres-only');
  expect(desired([[0, null]])).toBe('json-only');
});

test('a flag of the environment stands whatever the table says', () => {
  const locked = { USE_DATABASE_STORAGE: false };
  const settling = fold(
    [
      [0, 'json-primary'],
      [10, 'postgres-primary'],
    ],
    { locked },
  );
  expect(settling).toMatchObject({ current: { desired: 'json-primary' }, candidate: null });
  expect(settling.table).toEqual(flagsOf('postgres-primary'));
});

test('the time that is left is counted down to nothing', () => {
  const settling = fold([
    [0, 'json-primary'],
    [100, 'json-only'],
  ]);
  expect(settlesInMs(settling, 100)).toBe(FLAGS_SETTLE_MS);
  expect(settlesInMs(settling, 1_100)).toBe(FLAGS_SETTLE_MS - 1_000);
  expect(settlesInMs(settling, 9_000)).toBe(0);
  expect(settlesInMs(fold([[0, 'json-primary']]), 0)).toBeUndefined();
});
