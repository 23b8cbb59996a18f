import type { JsonPhaseState } from '@tandem/storage/phase';
import { expect, test } from 'vitest';
import { asksForBrake } from './start-without-postgres.ts';

const LEFT: JsonPhaseState = {
  ...{ pairId: 'a pair', epoch: 4, phase: 'postgres-only', sealed: false },
  ...{ committing: null, catchUpSince: null, lastKnownFlags: null },
};
const BOTH_FALSE = { USE_DATABASE_STORAGE: false, DUAL_WRITE_ENABLED: false };

test('I6: the emergency brake is refused where JSON was archived: it would serve nothing', () => {
  expect(asksForBrake(BOTH_FALSE, LEFT)).toBe(true);
  expect(asksForBrake({}, LEFT)).toBe(false);
  const archived = { at: '2026-01-05T10:00:00.000Z', file: '/archive.tar.gz', sha256: 'ab' };
  expect(() => asksForBrake(BOTH_FALSE, { ...LEFT, archived })).toThrow(/archived at 2026.*Bring/s);
});
