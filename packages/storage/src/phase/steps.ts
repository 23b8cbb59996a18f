import { bringUpToDate, describeDifferences } from '../consistency/index.ts';
import type { Store } from '../store.ts';
import { DECIDED_WHEN } from './gates.ts';
import { type MoveContext, type MoveWork, moveTo, type Refusal } from './move.ts';
import { type Phase, primaryOf, type StoreName, secondaryOf } from './phases.ts';
import type { PostgresSide } from './switch-context.ts';

/** A walk's own: nothing is served meanwhile. */
export type StepContext = MoveContext & { readonly postgres: PostgresSide };

/** The difference would settle a fork by who is primary; that is for a person to say (I4). */
async function refuseUndecided({ postgres }: StepContext): Promise<Refusal | undefined> {
  const undecided = await postgres.phase.undecided();
  if (undecided === 0) return undefined;
  return { waitingFor: `undecided: ${undecided} (needed: none), opens when ${DECIDED_WHEN}` };
}

const NAMES = { json: 'JSON', postgres: 'PostgreSQL' } as const;

/** Brings the target up by a full difference. @returns what it lacks all the same */
async function catchUp(
  context: StepContext,
  source: Store,
  target: Store,
): Promise<{ readonly report: object; readonly refusal: Refusal | undefined }> {
  const { collections, now, queues, watch, signal } = context;
  const report = await bringUpToDate({
    ...{ source, target, collections, now, ...(watch && { watch }), ...(signal && { signal }) },
    onRejected: (changes) => queues.enqueueRejected(target.name, changes),
  });
  if (report.remaining === 0) return { report, refusal: undefined };
  const lacks = `${NAMES[target.name]} does not hold all that ${NAMES[source.name]} holds`;
  return { report, refusal: { waitingFor: `${lacks}: ${describeDifferences(report)}.` } };
}

/** A move of the primary: nobody writes at a start, so the difference is taken under the seal. */
function movingPrimary(context: StepContext, to: Phase): MoveWork {
  const { json, postgres, queues } = context;
  const [source, target] = primaryOf(to) === 'json' ? [postgres, json] : [json, postgres];
  let report: object = {};
  return {
    prepare: () => refuseUndecided(context),
    drain: async () => {
      const caughtUp = await catchUp(context, source, target);
      if (caughtUp.refusal !== undefined) return caughtUp.refusal;
      report = caughtUp.report;
      await target.raiseIdHighWater(await source.idHighWater());
      if (target === json) await queues.beginRelay();
      return undefined;
    },
    evidence: () => ({ report }),
  };
}

/**
 * Takes a step that needs both stores, before anything is served.
 * @throws {TandemError} as `moveTo`
 */
export async function stepBetween(
  from: Phase,
  to: Phase,
  context: StepContext,
): Promise<Refusal | undefined> {
  const movesPrimary = primaryOf(from) !== primaryOf(to);
  const refusal = await moveTo(to, context, movesPrimary ? movingPrimary(context, to) : {});
  if (refusal !== undefined) return refusal;
  const left = leftBehind(from);
  if (left !== undefined) await context.queues.dropCovered(left);
  return undefined;
}

/** Whose jobs a move leaves behind: they are in their store already, or nobody works them any more. */
const leftBehind = (from: Phase): StoreName | undefined => secondaryOf(from) ?? undefined;
