import { sentenceOf, TandemError } from '../errors.ts';
import { returnFromBrake } from './brake.ts';
import { meetAgain } from './meet-again.ts';
import { perform } from './perform.ts';
import type { PostgresPhaseState } from './phase-state.ts';
import { type PhaseFacts, type Reconciliation, reconcile } from './reconcile.ts';
import { mendingActsOf, type StoreAct } from './switch-acts.ts';
import type { PostgresSide, SwitchContext } from './switch-context.ts';
import {
  type AgreeingActs,
  CommitUnanswered,
  type SwitchEnd,
  SwitchMachine,
} from './switch-machine.ts';
import type { EventIn } from './switch-table.ts';

type Act = Exclude<Reconciliation['act'], 'none' | 'refuse'>;

/** What brings two stores to agree needs; without PostgreSQL JSON is asked alone. */
export type AgreeContext = Omit<SwitchContext, 'postgres'> & {
  readonly postgres: PostgresSide | null;
};

/**
 * Makes two reachable stores agree on the phase, after whatever happened to the processes before, and
 * recognises one that was put back meanwhile.
 * @throws {TandemError} `mismatched-stores` or `unavailable`, as `reconcile` decided; `unavailable` while
 *   this process moves the phase itself
 */
export async function mend(context: SwitchContext, jsonIsBlank: boolean): Promise<void> {
  const machine = context.machine ?? new SwitchMachine();
  requireServing(await machine.agree(agreeingActs({ ...context, machine }, jsonIsBlank)));
}

/**
 * The same while PostgreSQL can't be asked: says whether JSON can be served by what it knows alone.
 * @throws {TandemError} `unavailable` when it can't
 */
export async function mendAlone(
  context: Omit<AgreeContext, 'postgres'>,
  jsonIsBlank: boolean,
): Promise<void> {
  const machine = context.machine ?? new SwitchMachine();
  const alone = { ...context, machine, postgres: null };
  requireServing(await machine.agree(agreeingActs(alone, jsonIsBlank)));
}

function requireServing({ state, failure }: SwitchEnd): void {
  if (state === 'serving' || state === 'braked') return;
  throw failure ?? new TandemError('unavailable', 'The two stores did not come to agree.');
}

/** What each act is, said when it is begun. */
const SENTENCES: Readonly<Record<Act, string>> = {
  pair: 'the database is paired with this JSON store.',
  join: 'this blank JSON store joins the database as its secondary.',
  'tell-json': 'the JSON store is told the phase that PostgreSQL is in.',
  'tell-postgres': 'PostgreSQL is told the phase that the JSON store is in.',
  'abort-commit': 'a switch to PostgreSQL that was not committed is undone.',
  'lift-json-seal': 'the seal of an unfinished switch is lifted from the JSON store.',
  'lift-postgres-seal': 'the seal of an unfinished switch is lifted from PostgreSQL.',
  'return-from-brake':
    'PostgreSQL is back after the emergency brake; both sides are brought together.',
  'forget-brake': 'the emergency brake is over.',
};

/** What a look that finds an act to be done is, in the words of the table. */
export const FOUND = {
  pair: 'found-strangers',
  join: 'found-strangers',
  'tell-json': 'committed',
  'tell-postgres': 'committed',
  'abort-commit': 'found-open-commit',
  'lift-json-seal': 'found-sealed',
  'lift-postgres-seal': 'found-sealed',
  'return-from-brake': 'postgres-back',
  'forget-brake': 'postgres-back',
} as const satisfies Readonly<Record<Act, EventIn<'looking'>>>;

/** Looks, and does what the look found, by the states of the table. */
export function agreeingActs(context: AgreeContext, jsonIsBlank: boolean): AgreeingActs {
  let found: Reconciliation = { act: 'none' };
  let facts: PhaseFacts;
  const carryOut = async <T>(done: T): Promise<T> => {
    await performAll(context, found, facts);
    return done;
  };
  return {
    looking: async () => {
      await settleDoubt(context);
      facts = { json: context.json.phase.read(), jsonIsBlank, postgres: await rowOf(context) };
      found = reconcile(facts);
      if (found.act === 'none') return agreed(context, facts);
      if (found.act === 'refuse') {
        const isOpen = facts.json.committing !== null && facts.postgres === null;
        if (isOpen) throw new CommitUnanswered(found.sentence);
        throw new TandemError(found.code, found.sentence);
      }
      context.log.info({ act: found.act }, `Phase: ${SENTENCES[found.act]}`);
      return FOUND[found.act];
    },
    meeting: () => carryOut('met'),
    telling: () => carryOut('told'),
    lifting: () => carryOut('lifted'),
    aborting: () => carryOut('aborted'),
    reuniting: async () => {
      const { postgres } = context;
      if (found.act === 'forget-brake' || postgres === null) return carryOut('reunited');
      await returnFromBrake({ ...context, postgres }, mendingOf(found, facts, context));
      return 'reunited';
    },
  };
}

async function agreed(context: AgreeContext, { json }: PhaseFacts): Promise<EventIn<'looking'>> {
  const { postgres } = context;
  if (postgres !== null) await meetAgain({ ...context, postgres });
  return postgres === null && json.braked ? 'found-braked' : 'agreed';
}

async function rowOf({ json, postgres }: AgreeContext): Promise<PostgresPhaseState | null> {
  if (postgres === null) return null;
  try {
    return await postgres.phase.read();
  } catch (error) {
    if (json.phase.read().committing === null) throw error;
    throw new CommitUnanswered(sentenceOf(error), error);
  }
}

/** A manifest that is written anew says what stands: after a failed write memory may not. */
async function settleDoubt({ json, machine }: AgreeContext): Promise<void> {
  if (machine?.jsonInDoubt !== true) return;
  await json.phase.update({});
  machine.jsonInDoubt = false;
}

const mendingOf = (
  next: Reconciliation,
  { json, postgres }: PhaseFacts,
  { now }: AgreeContext,
): readonly StoreAct[] => mendingActsOf(next, { json, postgres, now: now().toISOString() });

async function performAll(
  context: AgreeContext,
  next: Reconciliation,
  facts: PhaseFacts,
): Promise<void> {
  const evidence = { json: facts.json, postgres: facts.postgres };
  const epoch = facts.postgres?.epoch ?? 0;
  for (const act of mendingOf(next, facts, context)) {
    // Should another process have moved it meanwhile, the next look finds what is left to do.
    await perform({ ...context, reason: next.act }, act, { epoch, evidence });
  }
}
