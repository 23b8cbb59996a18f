import { expect, test } from 'vitest';
import { BACKLOG_MAX, closedGates, type GateFacts, gatesOf, VERIFY_AGE_MAX_MS } from './gates.ts';

const fine: GateFacts = {
  postgresProblem: null,
  catchUpSince: null,
  mappingErrors: 0,
  undecided: 0,
  overBudget: [],
  foreignEdits: 0,
  deadLetters: 0,
  backlog: BACKLOG_MAX,
  disagreement: null,
  targetProblem: null,
  verified: { outcome: 'clean', ageMs: 60_000 },
};

test('all gates are open when nothing stands in the way', () => {
  expect(closedGates(gatesOf(fine))).toBeUndefined();
});

test.for([
  [{ postgresProblem: 'connection refused' }, 'PostgreSQL usable', 'connection refused'],
  [{ targetProblem: 'PostgreSQL is read-only' }, 'target writable', 'PostgreSQL is read-only'],
  [{ disagreement: 'api 1 and worker 2 disagree' }, 'processes agree', 'api 1 and worker 2'],
  [{ catchUpSince: '2026-01-01' }, 'backfill complete', 'under way since 2026-01-01'],
  [{ mappingErrors: 3 }, 'mapping errors', '3 (needed: none)'],
  [{ undecided: 2 }, 'undecided', '2 (needed: none)'],
  [
    { overBudget: [{ collection: 'expense', open: 3, allowed: 1 }] },
    ...(['divergences', '3 of expense (allowed: 1) (needed: within the budget)'] as const),
  ],
  [{ foreignEdits: 1 }, 'foreign edits', '1 (needed: none)'],
  [{ deadLetters: 1 }, 'dead letters', '1 (needed: none)'],
  [{ backlog: BACKLOG_MAX + 1 }, 'backlog', `${BACKLOG_MAX + 1} (needed: at most`],
] as const)(
  '%o closes %s, with the number it saw and what would open it',
  ([facts, name, says]) => {
    const gates = gatesOf({ ...fine, ...facts });
    expect(gates.filter(({ open }) => !open).map((gate) => gate.name)).toEqual([name]);
    expect(closedGates(gates)).toContain(`${name}: `);
    expect(closedGates(gates)).toContain(says);
    expect(closedGates(gates)).toContain('opens when');
  },
);

test.for([
  [null, 'never'],
  [{ outcome: 'clean', ageMs: VERIFY_AGE_MAX_MS + 1 }, 'clean, 60 min ago'],
  [{ outcome: 'differences', ageMs: 120_000 }, 'differences, 2 min ago'],
  [{ outcome: 'inconclusive', ageMs: 0 }, 'inconclusive, 0 min ago'],
] as const)(
  '%o is not verified, which the driver mends by comparing everything',
  ([verified, value]) => {
    const gates = gatesOf({ ...fine, verified });
    expect(gates.filter(({ open }) => !open)).toMatchObject([
      { name: 'verified', value, needed: 'clean, within 60 min', byDriver: true },
    ]);
    expect(closedGates(gates)).toBeUndefined();
  },
);
