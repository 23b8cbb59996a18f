import type { VerifyOutcome } from '../consistency/index.ts';

/** What is measured before a switch; numbers are counts. */
export interface GateFacts {
  /** Why PostgreSQL can't be used, or `null`. */
  readonly postgresProblem: string | null;
  /** Why the store that would become primary takes no writes, or `null`. */
  readonly targetProblem: string | null;
  /** The last comparison of everything from this primary; `null` before the first. */
  readonly verified: Verified | null;
  /** ISO instant since when the secondary must be brought up by difference, or `null`. */
  readonly catchUpSince: string | null;
  /** Records the schema can't hold. */
  readonly mappingErrors: number;
  /** Forks and conflicts without a decision. */
  readonly undecided: number;
  /** Collections with more open differences in the ledger than they are allowed. */
  readonly overBudget: readonly OverBudget[];
  /** Foreign edits of the checkpoint files that were neither adopted nor rejected. */
  readonly foreignEdits: number;
  /** Secondary-write jobs that failed for good, in either direction. */
  readonly deadLetters: number;
  /** Changes that the secondary has not applied yet. */
  readonly backlog: number;
  /** Processes that disagree about the flags, as a sentence, or `null`. */
  readonly disagreement: string | null;
}

export interface Verified {
  readonly outcome: VerifyOutcome;
  readonly ageMs: number;
}

/** Open differences of a collection, and how many it may have. */
export interface OverBudget {
  readonly collection: string;
  readonly open: number;
  readonly allowed: number;
}

/** One precondition of a switch: what it saw, what it needs, and what would open it. */
export interface Gate {
  readonly name: string;
  readonly open: boolean;
  readonly value: string | number;
  readonly needed: string;
  readonly opensWhen: string;
  /** The driver opens it by what it does anyway before it seals: it keeps no switch from beginning. */
  readonly byDriver?: true;
}

/** Changes that may still be on their way when a switch begins: they are carried over in the pause. */
export const BACKLOG_MAX = 2_000;

/** How a fork or conflict is decided: both sides stand in the table. */
export const DECIDED_WHEN =
  'each fork or conflict is decided: "tandem divergences list" names them, "tandem divergences resolve" keeps one side';

/** A comparison counts for this long. */
export const VERIFY_AGE_MAX_MS = 60 * 60_000;

export const DEAD_LETTERS_WAY_OUT = 'each dead letter is redriven or discarded';

const count = (name: string, value: number, max: number, opensWhen: string): Gate => ({
  name,
  open: value <= max,
  value,
  needed: max === 0 ? 'none' : `at most ${max}`,
  opensWhen,
});

function divergences(over: readonly OverBudget[]): Gate {
  const shown = over.map(
    ({ collection, open, allowed }) => `${open} of ${collection} (allowed: ${allowed})`,
  );
  return {
    name: 'divergences',
    open: over.length === 0,
    value: over.length === 0 ? 'none' : shown.join(', '),
    needed: 'within the budget',
    opensWhen:
      'they are repaired ("tandem repair") or decided ("tandem divergences"), and the next verify sees it',
  };
}

const MS_A_MINUTE = 60_000;

function verifiedLately(verified: Verified | null): Gate {
  const minutes = Math.floor((verified?.ageMs ?? 0) / MS_A_MINUTE);
  return {
    name: 'verified',
    open: verified?.outcome === 'clean' && verified.ageMs <= VERIFY_AGE_MAX_MS,
    value: verified === null ? 'never' : `${verified.outcome}, ${minutes} min ago`,
    needed: `clean, within ${VERIFY_AGE_MAX_MS / MS_A_MINUTE} min`,
    opensWhen:
      '"tandem verify" finds nothing, or the driver has compared everything; it does so before it seals',
    byDriver: true,
  };
}

/** The gates of a move between the dual phases, each with its number. Pure. */
export function gatesOf(facts: GateFacts): readonly Gate[] {
  return [
    {
      name: 'PostgreSQL usable',
      open: facts.postgresProblem === null,
      value: facts.postgresProblem ?? 'yes',
      needed: 'yes',
      opensWhen: 'PostgreSQL answers and has the current schema',
    },
    {
      name: 'target writable',
      open: facts.targetProblem === null,
      value: facts.targetProblem ?? 'yes',
      needed: 'yes',
      opensWhen: 'the store that is to become primary takes writes again',
    },
    {
      name: 'processes agree',
      open: facts.disagreement === null,
      value: facts.disagreement ?? 'yes',
      needed: 'yes',
      opensWhen: 'every process has the same FF_ variables, or none',
    },
    {
      name: 'backfill complete',
      open: facts.catchUpSince === null,
      value: facts.catchUpSince === null ? 'complete' : `under way since ${facts.catchUpSince}`,
      needed: 'complete',
      opensWhen: 'the secondary was brought up to date by difference; it is done by itself',
    },
    count(
      'mapping errors',
      facts.mappingErrors,
      0,
      'each record the schema can not hold is corrected (PATCH, PUT) or deleted',
    ),
    count('undecided', facts.undecided, 0, DECIDED_WHEN),
    verifiedLately(facts.verified),
    divergences(facts.overBudget),
    count(
      'foreign edits',
      facts.foreignEdits,
      0,
      'each is adopted or rejected ("tandem external-edits")',
    ),
    count('dead letters', facts.deadLetters, 0, DEAD_LETTERS_WAY_OUT),
    count('backlog', facts.backlog, BACKLOG_MAX, 'the worker has caught up; it does so by itself'),
  ];
}

/** One sentence that names every gate that keeps a switch from beginning; `undefined` without any. */
export function closedGates(gates: readonly Gate[]): string | undefined {
  const closed = gates.filter(({ open, byDriver }) => !open && byDriver !== true);
  if (closed.length === 0) return undefined;
  return closed
    .map(
      ({ name, value, needed, opensWhen }) =>
        `${name}: ${value} (needed: ${needed}), opens when ${opensWhen}`,
    )
    .join('; ');
}

/** What each gate saw, for the history. */
export const gateValues = (gates: readonly Gate[]): Record<string, string | number> =>
  Object.fromEntries(gates.map(({ name, value }) => [name, value]));
