import { describe, expect, test } from 'vitest';
import type { JsonPhaseState, PostgresPhaseState } from './phase-state.ts';
import { reconcile } from './reconcile.ts';

const json = (change: Partial<JsonPhaseState> = {}): JsonPhaseState => ({
  pairId: 'pair',
  epoch: 3,
  phase: 'json-primary',
  sealed: false,
  committing: null,
  catchUpSince: null,
  lastKnownFlags: null,
  ...change,
});
const postgres = (change: Partial<PostgresPhaseState> = {}): PostgresPhaseState => ({
  pairId: 'pair',
  epoch: 3,
  phase: 'json-primary',
  sealed: false,
  catchUpSince: null,
  attempt: null,
  ...change,
});
const act = (
  ours: Partial<JsonPhaseState>,
  theirs: Partial<PostgresPhaseState> | null,
  jsonIsBlank = false,
) =>
  reconcile({
    json: json(ours),
    postgres: theirs === null ? null : postgres(theirs),
    jsonIsBlank,
  });

const committing = { attempt: 'a', epoch: 4, phase: 'postgres-primary' } as const;
const blankPair = { pairId: null, epoch: 0, phase: 'json-only' } as const;

describe('two stores that belong together', () => {
  test('agree, or lift what an unfinished switch left sealed', () => {
    expect(act({}, {})).toEqual({ act: 'none' });
    expect(act({ sealed: true }, {})).toEqual({ act: 'lift-json-seal' });
    const inPhase4 = { phase: 'postgres-primary' } as const;
    expect(act(inPhase4, { ...inPhase4, sealed: true })).toEqual({ act: 'lift-postgres-seal' });
  });

  test('I3: the new primary, which committed first, is the truth', () => {
    // 3 → 4 was committed in PostgreSQL, the end came before JSON was told.
    const ours = { sealed: true, committing };
    expect(act(ours, { epoch: 4, phase: 'postgres-primary' })).toEqual({ act: 'tell-json' });
    // 4 → 3 was committed in the manifest, PostgreSQL still sealed at the old epoch.
    const theirs = { epoch: 2, phase: 'postgres-primary', sealed: true } as const;
    expect(act({}, theirs)).toEqual({ act: 'tell-postgres' });
  });

  test('I6: a commit that did not happen is made impossible before JSON serves again', () => {
    expect(act({ sealed: true, committing }, {})).toEqual({ act: 'abort-commit', epoch: 4 });
    // Aborting raised the epoch in PostgreSQL; the end came before JSON was told.
    expect(act({ sealed: true, committing }, { epoch: 4 })).toEqual({ act: 'tell-json' });
  });

  test('I12: a database that went back to JSON after the commit in question knows another JSON store', () => {
    const ours = { sealed: true, committing };
    expect(act(ours, { epoch: 5, phase: 'postgres-only' })).toEqual({ act: 'tell-json' });
    expect(act(ours, { epoch: 5 })).toMatchObject({ act: 'refuse', code: 'mismatched-stores' });
    expect(act(ours, { epoch: 4, phase: 'json-only' })).toMatchObject({ act: 'refuse' });
  });

  test('I12: an epoch that cannot have come from the other store is a restored backup', () => {
    expect(act({}, { epoch: 7 })).toMatchObject({ act: 'refuse', code: 'mismatched-stores' });
    expect(act({}, { epoch: 7, phase: 'postgres-primary' })).toMatchObject({ act: 'refuse' });
    const inPhase4 = { phase: 'postgres-primary' } as const;
    expect(act({ ...inPhase4, epoch: 7 }, inPhase4)).toMatchObject({ act: 'refuse' });
    expect(act({ phase: 'json-only' }, {})).toMatchObject({ act: 'refuse' });
  });
});

describe('PostgreSQL out of reach', () => {
  test('I5: JSON serves in its own phases', () => {
    expect(act({}, null)).toEqual({ act: 'none' });
    expect(act({ sealed: true }, null)).toEqual({ act: 'lift-json-seal' });
  });

  test('I6: nothing is served when PostgreSQL is the primary, or may have become it', () => {
    const refusal = { act: 'refuse', code: 'unavailable' };
    expect(act({ phase: 'postgres-primary' }, null)).toMatchObject(refusal);
    expect(act({ phase: 'postgres-only' }, null)).toMatchObject(refusal);
    expect(act({ sealed: true, committing }, null)).toMatchObject(refusal);
  });
});

describe('stores that never met', () => {
  test('a new database is paired, unless PostgreSQL should already be the primary', () => {
    expect(act({}, blankPair)).toEqual({ act: 'pair' });
    expect(act({ phase: 'postgres-only' }, blankPair)).toMatchObject({ act: 'refuse' });
    expect(act({ committing }, blankPair)).toMatchObject({ act: 'refuse' });
  });

  test('I12: a blank JSON store joins a PostgreSQL primary; any other stranger is refused', () => {
    const other = { pairId: 'another', phase: 'postgres-only' } as const;
    expect(act({ phase: 'json-only', epoch: 1 }, other, true)).toEqual({ act: 'join' });
    expect(act({ phase: 'json-only', epoch: 1 }, other, false)).toMatchObject({ act: 'refuse' });
    const follower = { pairId: 'another', phase: 'json-primary' } as const;
    expect(act({ phase: 'json-only', epoch: 1 }, follower, true)).toMatchObject({ act: 'refuse' });
  });
});
