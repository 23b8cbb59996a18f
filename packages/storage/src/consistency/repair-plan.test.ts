import { expect, test } from 'vitest';
import { expense, expenseText } from '../testing/store-fixture.ts';
import type { SeenDifference } from './divergence-ledger.ts';
import { planRepair, type Side } from './repair-plan.ts';

const FACTS = { epoch: 4, given: { expense: 100 } };
const side = (epoch: number, version: number, notes: string | null = 'n') => ({
  ...{ epoch, version, text: notes === null ? null : expenseText(5, notes) },
});

const plan = (difference: Partial<SeenDifference>, keep: Side | null = null) =>
  planRepair(
    {
      ...{ class: 'divergent', kind: 'different', subject: { collection: 'expense', id: 5 } },
      ...difference,
    },
    [expense],
    FACTS,
    keep,
  );

test('a plan writes above both sides', () => {
  const ahead = plan({ primary: side(4, 2), secondary: side(3, 9) });
  expect(ahead).toMatchObject({ act: 'rewrite', command: { above: { epoch: 4, version: 9 } } });
  const extra = plan({ kind: 'extra', primary: side(4, 3, null), secondary: side(0, 1) });
  expect(extra).toMatchObject({ act: 'bury', command: { above: { epoch: 4, version: 3 } } });
  const taken = plan({ class: 'fork', primary: side(4, 2), secondary: side(3, 2) }, 'secondary');
  expect(taken).toMatchObject({
    act: 'take-over',
    command: { instead: { text: expenseText(5, 'n'), at: { epoch: 4, version: 2 } } },
  });
});

test.for([
  [{ class: 'conflict' }, 'both sides may count'],
  [{ class: 'fork' }, 'both sides may count'],
  [{ class: 'mapping-error' }, 'correct it'],
  [{ class: 'dead-lettered' }, 'redrive or discard'],
  [{ subject: { collection: 'journey', id: 5 } }, 'no collection journey'],
  [{ primary: side(4, 1), secondary: side(9, 1) }, 'set it lower in psql'],
  [{ kind: 'extra', subject: { collection: 'expense', id: 2_000_000_000 } }, 'ids would run out'],
  [{ subject: { key: 'k' }, kind: 'extra' }, 'expires by itself'],
] as const)('I4: %o is left alone, and why', ([difference, why]) => {
  const sides = { primary: side(4, 1), secondary: side(4, 1) };
  expect(plan({ ...sides, ...difference })).toEqual({
    ...{ act: 'none', why: expect.stringContaining(why) },
  });
});
