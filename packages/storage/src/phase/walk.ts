import { type ErrorCode, isTandemError, sentenceOf } from '../errors.ts';
import { waitsForReturn } from './brake.ts';
import { mend, mendAlone } from './mend.ts';
import { nextPhase, type Phase, primaryOf, secondaryOf } from './phases.ts';
import { type Refusal, STEPS } from './steps.ts';
import type { JsonSide, PostgresSide, SwitchContext } from './switch-context.ts';

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
}

/**
 * Mends what an earlier end left, then moves from the effective to the desired phase, one neighbour
 * at a time, before anything is served. The caller holds the JSON lock. Stops at the first step that
 * can't be taken; the system is then served in the phase it has reached.
 * @throws {TandemError} `mismatched-stores`, or `unavailable` when not even the present phase can be
 *   served
 */
export async function walkTo(desired: Phase, given: WalkContext): Promise<WalkResult> {
  let context = given;
  for (;;) {
    try {
      // Before every step: the last one may have been taken in JSON alone.
      await agree(context);
      const effective = context.json.phase.read().phase;
      const next = nextPhase(effective, desired);
      const refusal = next && (await step(effective, next, context));
      if (next === undefined || refusal !== undefined) {
        await dropForNobody(effective, context);
        return { effective, waitingFor: refusal?.waitingFor ?? null };
      }
      context.log.info({ from: effective, to: next }, `Phase: moved from ${effective} to ${next}.`);
    } catch (error) {
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
function withoutPostgres(context: WalkContext, error: unknown): WalkContext {
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

async function agree(context: WalkContext): Promise<void> {
  const { postgres, json, jsonIsBlank } = context;
  if (postgres !== null) return mend({ ...context, postgres }, jsonIsBlank);
  await mendAlone(json, jsonIsBlank);
}

async function step(from: Phase, to: Phase, context: WalkContext): Promise<Refusal | undefined> {
  if (from === 'json-only' && to === 'json-primary') return beginDualWrite(context);
  if (from === 'json-primary' && to === 'json-only') return endDualWrite(context);
  const { postgres } = context;
  if (postgres === null) {
    return { waitingFor: context.unreachable ?? 'PostgreSQL to be reachable.' };
  }
  const take = STEPS[from]?.[to];
  if (take === undefined) throw new Error(`There is no step from ${from} to ${to}.`);
  return take({ ...context, postgres });
}

/** 1 → 3 needs JSON alone: PostgreSQL is brought up by difference whenever it can be reached. */
async function beginDualWrite({ json, now }: { json: JsonSide; now: () => Date }) {
  const { epoch, catchUpSince } = json.phase.read();
  await json.phase.update({
    epoch: epoch + 1,
    phase: 'json-primary',
    catchUpSince: catchUpSince ?? now().toISOString(),
  });
  return undefined;
}

/** 3 → json-only needs JSON alone: it holds everything. Coming back computes the difference anew. */
async function endDualWrite({ json }: { json: JsonSide }) {
  const waitingFor = waitsForReturn(json.phase.read());
  if (waitingFor !== undefined) return { waitingFor };
  const { epoch } = json.phase.read();
  await json.phase.update({ epoch: epoch + 1, phase: 'json-only', catchUpSince: null });
  return undefined;
}
