import { TandemError } from '../errors.ts';
import { mend } from './mend.ts';
import { nextPhase, type Phase } from './phases.ts';
import { reconcile } from './reconcile.ts';
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
export async function walkTo(desired: Phase, context: WalkContext): Promise<WalkResult> {
  for (;;) {
    // Before every step: the last one may have been taken in JSON alone.
    await agree(context);
    const effective = context.json.phase.read().phase;
    const next = nextPhase(effective, desired);
    if (next === undefined) return { effective, waitingFor: null };
    const refusal = await step(effective, next, context);
    if (refusal !== undefined) return { effective, waitingFor: refusal.waitingFor };
    context.log.info({ from: effective, to: next }, `Phase: moved from ${effective} to ${next}.`);
  }
}

async function agree(context: WalkContext): Promise<void> {
  const { postgres, json, jsonIsBlank } = context;
  if (postgres !== null) return mend({ ...context, postgres }, jsonIsBlank);
  const next = reconcile({ json: json.phase.read(), jsonIsBlank, postgres: null });
  if (next.act === 'refuse') throw new TandemError(next.code, next.sentence);
  if (next.act === 'lift-json-seal') await json.phase.update({ sealed: false });
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
  const { epoch } = json.phase.read();
  await json.phase.update({ epoch: epoch + 1, phase: 'json-only', catchUpSince: null });
  return undefined;
}
