//   facts ──▶ mend, act by act, as `reconcile` decides ──▶ a step to each neighbour on the way
//                └ refuses: nothing is planned; only a decision helps
import type { JsonPhaseState, PostgresPhaseState } from './phase-state.ts';
import type { Phase, StoreName } from './phases.ts';
import { type Recognition, refusalOf } from './recognise.ts';
import { type PhaseFacts, type Reconciliation, reconcile } from './reconcile.ts';
import { mendingActsOf } from './switch-acts.ts';
import { planSwitch } from './switch-plan.ts';

type Act = Exclude<Reconciliation['act'], 'none' | 'refuse'>;

/** What stands between an installation and its desired phase, in order. */
export interface DoctorStep {
  /** `adopt` and `migrate` make a store; the others are named after the act or the move. */
  readonly name: 'adopt' | 'create' | 'migrate' | Act | 'catch-up' | 'move';
  /** What is done, in one sentence. */
  readonly what: string;
}

export interface DoctorPlan {
  readonly steps: readonly DoctorStep[];
  /** Why the steps do not lead to the desired phase, in one sentence; `null` when they do. */
  readonly blocked: string | null;
}

export interface DoctorFacts {
  readonly desired: Phase;
  /** What JSON_DIR holds; the state is that of a new store where there is none yet. */
  readonly jsonKind: 'store' | 'legacy' | 'empty';
  readonly json: JsonPhaseState;
  readonly jsonIsBlank: boolean;
  /** `null` while it can't be asked; `postgresProblem` then says why. */
  readonly postgres: PostgresPhaseState | null;
  readonly postgresProblem: string | null;
  /** The database answers and lacks the current schema. */
  readonly needsMigration: boolean;
  /** Whether one of two stores that agree was put back from an older copy; `null` where not looked at. */
  readonly recognition: Recognition | null;
  /** What only the secondary of a primary that was put back has, as a phrase; `null` for nothing. */
  readonly missing: string | null;
}

/** Acts lead to agreement in at most three; more would be a defect of `reconcile`. */
const ACTS_MAX = 8;

/** What each act is, said before it is done. */
const ACTS: Readonly<Record<Act, string>> = {
  pair: 'The database, which never met a JSON store, is paired with this one.',
  join: 'The blank JSON store joins the database as its secondary.',
  'tell-json': 'The JSON store is told the phase that PostgreSQL is in.',
  'tell-postgres': 'PostgreSQL is told the phase that the JSON store is in.',
  'abort-commit': 'A switch to PostgreSQL that was not committed is made impossible and undone.',
  'lift-json-seal': 'The seal of an unfinished switch is lifted from the JSON store.',
  'lift-postgres-seal': 'The seal of an unfinished switch is lifted from PostgreSQL.',
  'return-from-brake':
    'PostgreSQL is sealed at its old epoch, and what both sides wrote since the emergency brake is brought together.',
  'forget-brake': 'The emergency brake, which is over, is forgotten.',
};

const MOVED: Readonly<Record<StoreName, string>> = {
  json: 'The JSON store, the primary, was put back or moved; PostgreSQL holds nothing that it lacks, and is brought up to date by difference.',
  postgres:
    'The database, the primary, was put back or moved; JSON holds nothing that it lacks, and is brought up to date by difference.',
};

/** The smallest plan that leads to the desired phase: what a start would do, in the same order. Pure. */
export function planOf(facts: DoctorFacts): DoctorPlan {
  const steps: DoctorStep[] = [];
  if (facts.jsonKind === 'legacy') {
    steps.push({ name: 'adopt', what: 'The files in JSON_DIR are adopted as a JSON store.' });
  } else if (facts.jsonKind === 'empty') {
    steps.push({ name: 'create', what: 'An empty JSON store is made in JSON_DIR.' });
  }
  if (facts.needsMigration) {
    steps.push({ name: 'migrate', what: 'The database is brought to the current schema.' });
  }
  const mended = mendedBy(facts, steps);
  if ('blocked' in mended) return { steps, blocked: mended.blocked };
  const { recognition, missing } = facts;
  if (recognition?.act === 'compare' && missing !== null) {
    return { steps, blocked: refusalOf(recognition.primary, missing) };
  }
  if (recognition?.act === 'catch-up') {
    steps.push({ name: 'catch-up', what: recognition.sentence });
  } else if (recognition?.act === 'compare') {
    steps.push({ name: 'catch-up', what: MOVED[recognition.primary] });
  }
  return { steps, blocked: walk(mended.phase, facts, steps) };
}

function mendedBy(
  facts: DoctorFacts,
  steps: DoctorStep[],
): { readonly phase: Phase } | { readonly blocked: string } {
  let { json, jsonIsBlank, postgres }: PhaseFacts = facts;
  for (let acts = 0; acts < ACTS_MAX; acts += 1) {
    const next = reconcile({ json, jsonIsBlank, postgres });
    if (next.act === 'none') return { phase: json.phase };
    if (next.act === 'refuse') return { blocked: next.sentence };
    steps.push({ name: next.act, what: ACTS[next.act] });
    ({ json, postgres } = after(next, json, postgres));
    jsonIsBlank = false;
  }
  throw new Error('The two stores would not come to agree.');
}

/** The states as an act leaves them. */
function after(
  next: Reconciliation,
  json: JsonPhaseState,
  postgres: PostgresPhaseState | null,
): { json: JsonPhaseState; postgres: PostgresPhaseState | null } {
  let states = { json, postgres };
  for (const act of mendingActsOf(next, { json, postgres, now: new Date(0).toISOString() })) {
    states =
      act.store === 'json'
        ? { ...states, json: { ...states.json, ...act.change } }
        : { ...states, postgres: postgres && { ...(states.postgres ?? postgres), ...act.change } };
  }
  return states;
}

/** @returns why the walk ends early */
function walk(effective: Phase, facts: DoctorFacts, steps: DoctorStep[]): string | null {
  const { desired, postgres, postgresProblem, needsMigration } = facts;
  const moves = planSwitch(effective, desired, { gates: [], backlog: null, pauses: [] });
  for (const { from, to, what } of moves) {
    const needsPostgres = from.startsWith('postgres') || to.startsWith('postgres');
    if (needsPostgres && postgres === null && !needsMigration) {
      return `From ${from} to ${to} PostgreSQL is needed: ${postgresProblem ?? "it can't be asked."}`;
    }
    steps.push({ name: 'move', what: `${from} → ${to}: ${what}` });
  }
  return null;
}

/** Whether a plan leaves the phase where it is. */
export const isThere = ({ steps, blocked }: DoctorPlan): boolean =>
  steps.length === 0 && blocked === null;
