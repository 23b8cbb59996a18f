import { describe, expect, test } from 'vitest';
import { type DoctorFacts, isThere, planOf } from './doctor-plan.ts';
import type { JsonPhaseState, PostgresPhaseState } from './phase-state.ts';
import { PHASES } from './phases.ts';

const json = (change: Partial<JsonPhaseState> = {}): JsonPhaseState => ({
  ...{ pairId: 'a', epoch: 3, phase: 'json-primary', sealed: false, committing: null },
  ...{ catchUpSince: null, lastKnownFlags: null, ...change },
});
const postgres = (change: Partial<PostgresPhaseState> = {}): PostgresPhaseState => ({
  ...{ pairId: 'a', epoch: 3, phase: 'json-primary', sealed: false },
  ...{ catchUpSince: null, attempt: null, ...change },
});
const facts = (change: Partial<DoctorFacts> = {}): DoctorFacts => ({
  ...{ desired: 'json-primary', jsonKind: 'store', json: json(), jsonIsBlank: false },
  ...{
    postgres: postgres(),
    postgresProblem: null,
    needsMigration: false,
    recognition: null,
    missing: null,
    ...change,
  },
});
const away = { postgres: null, postgresProblem: 'It does not answer.' };
const namesOf = (given: DoctorFacts) => planOf(given).steps.map(({ name }) => name);

const COMMITTING = { attempt: 'x', epoch: 4, phase: 'postgres-primary' } as const;
const BRAKED = {
  ...{ epoch: 2, phase: 'postgres-primary' as const, fromSeq: 0 },
  ...{ at: '2025-12-07T10:00:00.000Z', lacksSince: null },
};

describe('every outcome of reconcile', () => {
  test.each<[string, Partial<DoctorFacts>, readonly string[]]>([
    ['they agree', {}, []],
    ['never met', { postgres: postgres({ pairId: null, epoch: 0, phase: 'json-only' }) }, ['pair']],
    [
      'a blank JSON store, PostgreSQL primary',
      {
        ...{ desired: 'postgres-primary', jsonIsBlank: true },
        json: json({ pairId: 'b', epoch: 1, phase: 'json-only' }),
        postgres: postgres({ epoch: 9, phase: 'postgres-primary' }),
      },
      ['join'],
    ],
    [
      'PostgreSQL went on',
      {
        desired: 'postgres-only',
        json: json({ phase: 'postgres-primary' }),
        postgres: postgres({ epoch: 4, phase: 'postgres-only' }),
      },
      ['tell-json'],
    ],
    ['JSON went on', { json: json({ epoch: 4 }) }, ['tell-postgres']],
    [
      'a commit that did not arrive',
      { json: json({ sealed: true, committing: COMMITTING }) },
      ['abort-commit', 'tell-json'],
    ],
    [
      'a commit that arrived',
      {
        desired: 'postgres-primary',
        json: json({ sealed: true, committing: COMMITTING }),
        postgres: postgres({ epoch: 4, phase: 'postgres-primary' }),
      },
      ['tell-json'],
    ],
    ['a seal left in JSON', { json: json({ sealed: true }) }, ['lift-json-seal']],
    ['the same without PostgreSQL', { json: json({ sealed: true }), ...away }, ['lift-json-seal']],
    ['a seal left in PostgreSQL', { postgres: postgres({ sealed: true }) }, ['lift-postgres-seal']],
    [
      'back after the brake',
      {
        json: json({ braked: BRAKED }),
        postgres: postgres({ epoch: 2, phase: 'postgres-primary' }),
      },
      ['return-from-brake'],
    ],
    ['the brake is over', { json: json({ braked: BRAKED }) }, ['forget-brake']],
  ])('%s', (_state, change, names) => {
    expect(namesOf(facts(change))).toEqual(names);
    expect(planOf(facts(change)).blocked).toBeNull();
    expect(isThere(planOf(facts(change)))).toBe(names.length === 0);
  });

  test.each<[string, Partial<DoctorFacts>, RegExp]>([
    ['another installation', { postgres: postgres({ pairId: 'b' }) }, /two installations/],
    [
      'the primary is away',
      { json: json({ phase: 'postgres-primary' }), ...away },
      /The primary is PostgreSQL/,
    ],
    [
      'an open commit, PostgreSQL away',
      { json: json({ sealed: true, committing: COMMITTING }), ...away },
      /which alone knows/,
    ],
    ['changed by hand', { postgres: postgres({ phase: 'postgres-only' }) }, /changed by hand/],
    ['an older folder', { postgres: postgres({ epoch: 7 }) }, /older copy/],
  ])('%s can not be planned: it needs a decision', (_state, change, sentence) => {
    const plan = planOf(facts(change));
    expect(plan.steps).toEqual([]);
    expect(plan.blocked).toMatch(sentence);
  });
});

test.each(PHASES.flatMap((from) => PHASES.map((to) => [from, to] as const)))(
  'from %s to %s leads one neighbour at a time',
  (phase, desired) => {
    const { steps, blocked } = planOf(
      facts({ desired, json: json({ phase }), postgres: postgres({ phase }) }),
    );
    const distance = Math.abs(PHASES.indexOf(phase) - PHASES.indexOf(desired));
    expect(steps.map(({ name }) => name)).toEqual(Array(distance).fill('move'));
    expect(blocked).toBeNull();
  },
);

test('before the first start: adopt, migrate, then the way', () => {
  const fresh = facts({
    ...{ desired: 'postgres-primary', jsonKind: 'legacy', needsMigration: true, postgres: null },
    json: json({ epoch: 1, phase: 'json-only' }),
  });
  expect(namesOf(fresh)).toEqual(['adopt', 'migrate', 'move', 'move']);
});

test('I5: without PostgreSQL the way goes as far as JSON alone leads', () => {
  const { steps, blocked } = planOf(
    facts({ desired: 'postgres-primary', json: json({ phase: 'json-only' }), ...away }),
  );
  expect(steps.map(({ what }) => what)).toEqual([
    expect.stringContaining('json-only → json-primary'),
  ]);
  expect(blocked).toBe(
    'From json-primary to postgres-primary PostgreSQL is needed: It does not answer.',
  );
});

test('I12: a secondary that was put back is brought up; a primary only if it lacks nothing', () => {
  const dual = { desired: 'json-primary' } as const;
  const sentence = 'An older copy was put back.';
  const stale = facts({
    ...dual,
    recognition: { act: 'catch-up', secondary: 'postgres', sentence },
  });
  expect(planOf(stale).steps).toEqual([{ name: 'catch-up', what: sentence }]);
  const recognition = { act: 'compare', primary: 'json' } as const;
  expect(namesOf(facts({ ...dual, recognition }))).toEqual(['catch-up']);
  const { steps, blocked } = planOf(
    facts({ ...dual, recognition, missing: '1 change (expense 5)' }),
  );
  expect(steps).toEqual([]);
  expect(blocked).toMatch(
    /holds what it lacks: 1 change \(expense 5\)\. Put the newer folder back\./,
  );
});
