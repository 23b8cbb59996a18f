import type { Log } from '../log.ts';
import type { Observer } from '../observer.ts';
import type { StoreName } from '../phase/index.ts';
import type { JobOutcome } from './apply-batch.ts';
import type { QueueClient } from './boss.ts';
import { type Claim, deadLetter, failForNow, pastFailures } from './claims.ts';
import { logApplied, logFailed, logSuperseded } from './dual-write-log.ts';
import { type JobFailure, NEVER_FAILED, nextFailure } from './job-failure.ts';
import { QUEUES } from './job-sink.ts';

/** A record that failed by itself this often is dead-lettered; with the queue's backoff that is
 *  after some minutes. */
export const RECORD_FAILURES_MAX = 8;

export interface SettleContext {
  readonly queues: QueueClient;
  /** The store that was applied to. */
  readonly direction: StoreName;
  readonly log: Log;
  readonly observer: Observer;
  readonly recordFailuresMax: number;
}

interface Failed {
  readonly outcome: Extract<JobOutcome, { end: 'failed' | 'hopeless' }>;
  readonly failure: JobFailure;
}

/**
 * Settles every job by itself: what the secondary holds leaves the queue at once, what failed is
 * tried again later, what failed too often or is hopeless becomes a dead letter. Each statement is
 * fenced to the claims: of a claim that has lapsed nothing is settled, and the job comes again.
 */
export async function settle(
  outcomes: readonly JobOutcome[],
  context: SettleContext,
): Promise<void> {
  const { queues, direction, log, observer } = context;
  const queue = QUEUES[direction];
  const done = outcomes.filter(({ end }) => end === 'applied' || end === 'superseded');
  if (done.length > 0) {
    const boss = await queues.ready();
    // Deleting instead of completing: nobody looks at done jobs, and it halves what they cost.
    await boss.deleteJob(
      queue,
      done.map(({ job }) => claimOf(job)),
    );
    for (const { end, item } of done) {
      if (item?.kind !== 'change') continue;
      (end === 'applied' ? logApplied : logSuperseded)(log, direction, item.change);
    }
  }
  const { again, final } = await judgeFailures(outcomes, context);
  await failForNow(queues.pool, queue, again.map(claimed));
  await deadLetter(queues.pool, queue, final.map(claimed));
  for (const [failed, isFinal] of [[again, false] as const, [final, true] as const]) {
    for (const { outcome, failure } of failed) {
      const change = outcome.item?.kind === 'change' ? outcome.item.change : undefined;
      logFailed(log, direction, change, failure, isFinal);
      observer.failed({ direction, cause: failure.cause, isDeadLetter: isFinal });
    }
  }
}

async function judgeFailures(
  outcomes: readonly JobOutcome[],
  { queues, direction, recordFailuresMax }: SettleContext,
): Promise<{ again: Failed[]; final: Failed[] }> {
  const failed = outcomes.filter(
    (outcome) => outcome.end === 'failed' || outcome.end === 'hopeless',
  );
  const ids = failed.map(({ job }) => job.id);
  const past = await pastFailures(queues.pool, QUEUES[direction], ids);
  const at = new Date().toISOString();
  const again: Failed[] = [];
  const final: Failed[] = [];
  for (const outcome of failed) {
    const failure = nextFailure(past.get(outcome.job.id) ?? NEVER_FAILED, outcome.problem, at);
    const isFinal = outcome.end === 'hopeless' || failure.failures >= recordFailuresMax;
    (isFinal ? final : again).push({ outcome, failure });
  }
  return { again, final };
}

const claimed = ({ outcome, failure }: Failed) => ({ claim: claimOf(outcome.job), failure });

const claimOf = ({ id, retryCount }: Claim): Claim => ({ id, retryCount });
