import { type ErrorCode, isTandemError, sentenceOf } from '../errors.ts';
import { mend, mendAlone } from './mend.ts';
import { moveTo, type Refusal } from './move.ts';
import { nextPhase, type Phase, primaryOf, secondaryOf } from './phases.ts';
import { stepBetween } from './steps.ts';
import type { PostgresSide, SwitchContext } from './switch-context.ts';
import { SwitchMachine } from './switch-machine.ts';

/** Where a walk ended. `waitingFor` says in one sentence why it is not the desired phase. */
export interface WalkResult {
  readonly effective: Phase;
  readonly waitingFor: string | null;
}

export interface WalkContext extends Omit<SwitchContext, 'postgres'> {
  /** `null` while PostgreSQL can't be reached or used; `unreachable` then says why. */
  readonly postgres: PostgresSide | null;
  readonly unreachable?: string;
  readonly jsonIsBlank: boolean;
  /** Processes that disagree about the flags, as a sentence: then nothing is moved. */
  readonly disagreement?: string | null;
}

type StartedWalk = WalkContext & { readonly machine: SwitchMachine };

/**
 * Mends what an earlier end left, then moves from the effective to the desired phase, one neighbour
 * at a time, before anything is served. The caller holds the JSON lock. Stops at the first step that
 * can't be taken; the system is then served in the phase it has reached.
 * @throws {TandemError} `mismatched-stores`, or `unavailable` when not even the present phase can be
 *   served; the signal's reason when asked to stop: a seal is lifted then, what was carried over stays
 */
export async function walkTo(desired: Phase, given: WalkContext): Promise<WalkResult> {
  const machine = given.machine ?? new SwitchMachine();
  let context: StartedWalk = { ...given, machine, isAlone: true };
  for (;;) {
    try {
      context.signal?.throwIfAborted();
      // Before every step: the last one may have been taken in JSON alone.
      await agree(context);
      const effective = context.json.phase.read().phase;
      const next = nextPhase(effective, desired);
      const { disagreement = null } = context;
      const mayStep = disagreement === null ? undefined : { waitingFor: disagreement };
      const refusal = next && (mayStep ?? (await step(effective, next, context)));
      if (next === undefined || refusal !== undefined) {
        await dropForNobody(effective, context);
        return { effective, waitingFor: refusal?.waitingFor ?? null };
      }
      context.log.info({ from: effective, to: next }, `Phase: moved from ${effective} to ${next}.`);
    } catch (error) {
      // Asked to stop, nothing failed: what was begun is undone, and the next start goes on.
      context.signal?.throwIfAborted();
      context = withoutPostgres(context, error);
    }
  }
}

/** What a database says that is away, stuck, full or broken. */
const FAILING: readonly ErrorCode[] = [
  'unavailable',
  'outcome-unknown',
  'storage-full',
  'storage-failed',
];

/**
 * A database that fails in the middle is as one that can't be reached: where JSON is primary and no
 * commit towards the database is open, the walk goes on without it (I5).
 * @throws {unknown} the error, where the system can't be served without the database
 */
function withoutPostgres(context: StartedWalk, error: unknown): StartedWalk {
  const { phase, committing } = context.json.phase.read();
  const failing = isTandemError(error) && FAILING.includes(error.code);
  const needed = primaryOf(phase) === 'postgres' || committing !== null;
  if (!failing || needed || context.postgres === null) throw error;
  const unreachable = sentenceOf(error);
  context.log.warn(
    { phase, error: unreachable },
    `Phase: going on without PostgreSQL: ${unreachable}`,
  );
  return { ...context, postgres: null, unreachable };
}

/** Jobs towards a JSON store that is no secondary (a walk died before it dropped them) would stand as
 *  a backlog for ever. No other process works them: this one holds the JSON lock. */
async function dropForNobody(effective: Phase, context: WalkContext): Promise<void> {
  const { postgres, queues, log } = context;
  if (postgres === null || secondaryOf(effective) === 'json') return;
  try {
    await queues.dropCovered('json');
  } catch (error) {
    // They only count; no reason not to serve. The next start tries again.
    log.warn({ error: sentenceOf(error) }, 'Phase: jobs that nobody needs could not be dropped.');
  }
}

async function agree(context: StartedWalk): Promise<void> {
  const { postgres, jsonIsBlank } = context;
  if (postgres !== null) return mend({ ...context, postgres }, jsonIsBlank);
  await mendAlone(context, jsonIsBlank);
}

async function step(from: Phase, to: Phase, context: StartedWalk): Promise<Refusal | undefined> {
  // JSON alone decides: PostgreSQL is told, and brought up by difference, whenever it can be reached.
  if (primaryOf(from) === 'json' && primaryOf(to) === 'json') return moveTo(to, context);
  const { postgres } = context;
  if (postgres === null) {
    return { waitingFor: context.unreachable ?? 'PostgreSQL to be reachable.' };
  }
  return stepBetween(from, to, { ...context, postgres });
}
