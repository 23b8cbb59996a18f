import type { PoolClient } from 'pg';
import type { Log } from '../log.ts';
import type { Observer } from '../observer.ts';
import type { StoreName } from '../phase/index.ts';
import type { JobOutcome } from './apply-batch.ts';
import { deadLetter, failForNow, removeDone } from './claims.ts';
import { logApplied, logFailed, logSuperseded } from './dual-write-log.ts';
import { type JobFailure, nextFailure } from './job-failure.ts';
import { QUEUES } from './job-sink.ts';
import type { TakenJob } from './taken-jobs.ts';

/** A record that failed by itself this often is dead-lettered; with the queue's backoff that is
 *  after some minutes. */
export const RECORD_FAILURES_MAX = 8;

export interface SettleContext {
  /** The store that was applied to. */
  readonly direction: StoreName;
  readonly log: Log;
  readonly observer: Observer;
  readonly recordFailuresMax: number;
}

interface Failed {
  readonly outcome: Extract<JobOutcome<TakenJob>, { end: 'failed' | 'hopeless' }>;
  readonly failure: JobFailure;
}

/**
 * Settles every job by itself: what the secondary holds leaves the queue at once, what failed is
 * tried again later, what failed too often or is hopeless becomes a dead letter.
 * @param client of the transaction that has the jobs in hand
 * @returns to be called once that has committed: says what became of them
 */
export async function settle(
  client: PoolClient,
  outcomes: readonly JobOutcome<TakenJob>[],
  context: SettleContext,
): Promise<() => void> {
  const { direction } = context;
  const queue = QUEUES[direction];
  const done = outcomes.filter(({ end }) => end === 'applied' || end === 'superseded');
  // Removed instead of completed: nobody looks at done jobs, and it halves what they cost.
  await removeDone(
    client,
    queue,
    done.map(({ job }) => job),
  );
  const { again, final } = judgeFailures(outcomes, context);
  await failForNow(client, queue, again.map(claimed));
  await deadLetter(client, queue, final.map(claimed));
  return () => {
    sayDone(done, context);
    sayFailed(again, false, context);
    sayFailed(final, true, context);
  };
}

function sayDone(done: readonly JobOutcome<TakenJob>[], { log, direction }: SettleContext): void {
  for (const { end, item } of done) {
    if (item?.kind !== 'change') continue;
    (end === 'applied' ? logApplied : logSuperseded)(log, direction, item.change);
  }
}

function sayFailed(
  failed: readonly Failed[],
  isFinal: boolean,
  { log, direction, observer }: SettleContext,
): void {
  for (const { outcome, failure } of failed) {
    const change = outcome.item?.kind === 'change' ? outcome.item.change : undefined;
    logFailed(log, direction, change, failure, isFinal);
    observer.failed({ direction, cause: failure.cause, isDeadLetter: isFinal });
  }
}

function judgeFailures(
  outcomes: readonly JobOutcome<TakenJob>[],
  { recordFailuresMax }: SettleContext,
): { again: Failed[]; final: Failed[] } {
  const at = new Date().toISOString();
  const again: Failed[] = [];
  const final: Failed[] = [];
  for (const outcome of outcomes) {
    if (outcome.end !== 'failed' && outcome.end !== 'hopeless') continue;
    const failure = nextFailure(outcome.job.past, outcome.problem, at);
    const isFinal = outcome.end === 'hopeless' || failure.failures >= recordFailuresMax;
    (isFinal ? final : again).push({ outcome, failure });
  }
  return { again, final };
}

const claimed = ({ outcome, failure }: Failed) => ({ claim: outcome.job, failure });
