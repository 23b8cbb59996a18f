import { expect, test } from 'vitest';
import { PHASES, primaryOf } from './phases.ts';
import { type PlanFacts, planSwitch } from './switch-plan.ts';

const FACTS: PlanFacts = {
  gates: [{ name: 'backlog', open: true, value: 7, needed: 'at most 10', opensWhen: 'it shrinks' }],
  backlog: 1_000,
  pauses: [],
};

test('a plan goes from neighbour to neighbour, and gates stand where the primary moves', () => {
  for (const from of PHASES) {
    for (const to of PHASES) {
      const steps = planSwitch(from, to, FACTS);
      expect(steps).toHaveLength(Math.abs(PHASES.indexOf(from) - PHASES.indexOf(to)));
      for (const [index, step] of steps.entries()) {
        expect(step.from).toBe(index === 0 ? from : steps[index - 1]?.to);
        expect(step.movesPrimary).toBe(primaryOf(step.from) !== primaryOf(step.to));
        expect(step.gates).toHaveLength(step.movesPrimary ? 1 : 0);
      }
      expect(steps.at(-1)?.to ?? from).toBe(to);
    }
  }
});

test('each step says what it does', () => {
  expect(planSwitch('json-only', 'postgres-only', FACTS).map(({ what }) => what)).toEqual([
    'PostgreSQL is brought up to date by difference and follows JSON.',
    'PostgreSQL becomes the primary once it holds everything; JSON follows it.',
    'PostgreSQL alone is written; JSON stays as it is.',
  ]);
  expect(planSwitch('postgres-only', 'json-only', FACTS).map(({ what }) => what)).toEqual([
    'JSON is brought up to date by difference and follows PostgreSQL.',
    'JSON becomes the primary once it holds everything; PostgreSQL follows it.',
    'JSON alone is written; PostgreSQL stays as it is.',
  ]);
});

test('the pause is the longest of those measured in that direction, else estimated', () => {
  const pauses = [
    { from: 'json-primary', to: 'postgres-primary', pauseMs: 90 },
    { from: 'json-primary', to: 'postgres-primary', pauseMs: 140 },
  ] as const;
  const pauseOf = (from: (typeof PHASES)[number], to: (typeof PHASES)[number]) =>
    planSwitch(from, to, { ...FACTS, pauses })[0]?.pause;
  expect(pauseOf('json-primary', 'postgres-primary')).toEqual({ ms: 140, basis: 'measured' });
  expect(pauseOf('postgres-primary', 'json-primary')).toEqual({ ms: 700, basis: 'estimated' });
  expect(pauseOf('json-only', 'json-primary')).toEqual({ ms: 10, basis: 'estimated' });
});
