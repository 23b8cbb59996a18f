import { randomUUID } from 'node:crypto';
import { bringUpToDate, type CatchUpReport, describeDifferences } from '../consistency/index.ts';
import { isTandemError, TandemError } from '../errors.ts';
import type { Store } from '../store.ts';
import { DECIDED_WHEN } from './gates.ts';
import { mend } from './mend.ts';
import type { PhaseMove } from './phase-state.ts';
import type { Phase, StoreName } from './phases.ts';
import type { SwitchContext } from './switch-context.ts';

/** A step that was not taken, and what stands in the way. The stores are as before. */
export interface Refusal {
  readonly waitingFor: string;
}

type Step = (context: SwitchContext) => Promise<Refusal | undefined>;

const moveOf = (context: SwitchContext, evidence: Record<string, unknown> = {}): PhaseMove => ({
  actor: context.actor,
  reason: context.reason,
  evidence,
});

/** The difference would settle a fork by who is primary; that is for a person to say (I4). */
async function refuseUndecided({ postgres }: SwitchContext): Promise<Refusal | undefined> {
  const undecided = await postgres.phase.undecided();
  if (undecided === 0) return undefined;
  return { waitingFor: `undecided: ${undecided} (needed: none), opens when ${DECIDED_WHEN}` };
}

async function catchUp(
  context: SwitchContext,
  source: Store,
  target: Store,
): Promise<CatchUpReport> {
  const direction: StoreName = target.name;
  return bringUpToDate({
    source,
    target,
    collections: context.collections,
    now: context.now,
    ...(context.watch && { watch: context.watch }),
    onRejected: (changes) => context.queues.enqueueRejected(direction, changes),
  });
}

/** 5 → 4, changes nothing about who is primary: the difference is brought over afterwards. */
const toPostgresPrimaryFromOnly: Step = async (context) => {
  const { json, postgres, now } = context;
  const { epoch } = await postgres.phase.read();
  const next = { epoch: epoch + 1, phase: 'postgres-primary' as const };
  const catchUpSince = now().toISOString();
  await advance(context, epoch, { ...next, catchUpSince });
  await json.phase.update(next);
  return undefined;
};

/** 4 → 5: the JSON side is left as it is. */
const toPostgresOnly: Step = async (context) => {
  const { json, postgres, queues } = context;
  const { epoch } = await postgres.phase.read();
  const next = { epoch: epoch + 1, phase: 'postgres-only' as const };
  await advance(context, epoch, { ...next, catchUpSince: null });
  await json.phase.update(next);
  await queues.dropCovered('json');
  return undefined;
};

/** 3 → 4. The commit point is the phase row; before it stands the `committing` mark (I3, I6). */
const toPostgresPrimary: Step = async (context) => {
  const { json, postgres, queues } = context;
  const undecided = await refuseUndecided(context);
  if (undecided !== undefined) return undecided;
  const { epoch } = json.phase.read();
  const next = { epoch: epoch + 1, phase: 'postgres-primary' as const };
  await json.phase.update({ sealed: true });
  const report = await catchUp(context, json, postgres);
  if (report.remaining > 0) {
    await json.phase.update({ sealed: false });
    return {
      waitingFor: `PostgreSQL does not hold all that JSON holds: ${describeDifferences(report)}.`,
    };
  }
  await postgres.raiseIdHighWater(await json.idHighWater());
  const attempt = randomUUID();
  await json.phase.update({ committing: { attempt, ...next } });
  await commitTowardsPostgres(context, epoch, { ...next, attempt, catchUpSince: null }, { report });
  await json.phase.update({ ...next, sealed: false, committing: null, catchUpSince: null });
  await queues.dropCovered('postgres');
  return undefined;
};

/** 4 → 3. The commit point is the manifest (I3, I6). */
const toJsonPrimary: Step = async (context) => {
  const { json, postgres, queues } = context;
  const undecided = await refuseUndecided(context);
  if (undecided !== undefined) return undecided;
  const { epoch } = await postgres.phase.read();
  const next = { epoch: epoch + 1, phase: 'json-primary' as const };
  await advance(context, epoch, { sealed: true });
  const report = await catchUp(context, postgres, json);
  if (report.remaining > 0) {
    await advance(context, epoch, { sealed: false });
    return {
      waitingFor: `JSON does not hold all that PostgreSQL holds: ${describeDifferences(report)}.`,
    };
  }
  await json.raiseIdHighWater(await postgres.idHighWater());
  await queues.beginRelay();
  await json.phase.update({ ...next, sealed: false, catchUpSince: null });
  await advance(context, epoch, { ...next, sealed: false, catchUpSince: null }, { report });
  await queues.dropCovered('json');
  return undefined;
};

/** The steps that need both stores, by where they lead from and to. */
export const STEPS: Readonly<Partial<Record<Phase, Partial<Record<Phase, Step>>>>> = {
  'json-primary': { 'postgres-primary': toPostgresPrimary },
  'postgres-primary': { 'postgres-only': toPostgresOnly, 'json-primary': toJsonPrimary },
  'postgres-only': { 'postgres-primary': toPostgresPrimaryFromOnly },
};

/** Moves the phase row.
 *  @throws {TandemError} `unavailable` when another process moved it first */
export async function advance(
  context: SwitchContext,
  epoch: number,
  change: Parameters<SwitchContext['postgres']['phase']['advance']>[1],
  evidence: Record<string, unknown> = {},
): Promise<void> {
  if (await context.postgres.phase.advance(epoch, change, moveOf(context, evidence))) return;
  throw new TandemError('unavailable', 'Another process moved the phase at the same time.');
}

/** The one statement whose answer may be lost. The mark in JSON makes it answerable. */
export async function commitTowardsPostgres(
  context: SwitchContext,
  epoch: number,
  change: Parameters<SwitchContext['postgres']['phase']['advance']>[1],
  evidence: Record<string, unknown>,
): Promise<void> {
  try {
    await advance(context, epoch, change, evidence);
  } catch (error) {
    if (!isTandemError(error, 'outcome-unknown')) {
      await mend(context, false);
      throw error;
    }
    // Asks the database what became of the attempt; throws while it can't answer.
    await mend(context, false);
    if (context.json.phase.read().phase !== change.phase) throw error;
  }
}
