import { type Change, compareStamps, type Item } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import { isTandemError, sentenceOf } from '../errors.ts';
import type { ApplyResult, Store } from '../store.ts';
import type { Claim } from './claims.ts';
import type { JobProblem } from './job-failure.ts';
import { readJobData } from './job-payload.ts';

/** A claimed job with its data, which is anything until it was read. */
export interface ClaimedJob extends Claim {
  readonly data: unknown;
}

/** What became of one job. */
export type JobOutcome<Job extends ClaimedJob = ClaimedJob> =
  /** The secondary holds the change, or a newer state of its record. */
  | { readonly job: Job; readonly item: Item; readonly end: 'applied' | 'superseded' }
  /** The record failed by itself; it may succeed later. */
  | {
      readonly job: Job;
      readonly item: Item;
      readonly end: 'failed';
      readonly problem: JobProblem;
    }
  /** It can never succeed by itself: a person decides. */
  | {
      readonly job: Job;
      readonly item: Item | undefined;
      readonly end: 'hopeless';
      readonly problem: JobProblem;
    };

interface ReadableJob<Job extends ClaimedJob> {
  readonly job: Job;
  readonly item: Item;
}

/**
 * Applies the changes of a batch of jobs as one bulk write to the secondary. The order of the jobs
 * does not matter (I4). One outcome a job, in no particular order.
 * @throws {TandemError} as `Store.apply`: the secondary is unavailable, nothing is known to be
 *   applied, and every job may be done again
 */
export async function applyBatch<Job extends ClaimedJob>(
  jobs: readonly Job[],
  store: Store,
  collections: readonly Collection[],
): Promise<JobOutcome<Job>[]> {
  const names = new Set(collections.map(({ name }) => name));
  const outcomes: JobOutcome<Job>[] = [];
  const readable: ReadableJob<Job>[] = [];
  for (const job of jobs) {
    const read = readJobData(job.data);
    if (!read.ok) {
      const problem = { cause: 'malformed', error: `This job carries no change: ${read.problem}.` };
      outcomes.push({ job, item: undefined, end: 'hopeless', problem });
    } else if (read.item.kind === 'change' && !names.has(read.item.change.collection)) {
      const error = `There is no collection ${read.item.change.collection}.`;
      const problem = { cause: 'unknown-collection', error };
      outcomes.push({ job, item: read.item, end: 'hopeless', problem });
    } else {
      readable.push({ job, item: read.item });
    }
  }
  outcomes.push(...(await applyIsolated(readable.toSorted(olderFirst), store)));
  return outcomes;
}

/** Jobs of one transaction come in any order. The result is the same in each; in this one the log
 *  tells a record's story as it happened. */
function olderFirst(
  { item: a }: { readonly item: Item },
  { item: b }: { readonly item: Item },
): number {
  if (a.kind === 'key' || b.kind === 'key')
    return Number(a.kind === 'key') - Number(b.kind === 'key');
  return a.change.id - b.change.id || compareStamps(a.change, b.change);
}

/**
 * A store isolates a bad record by itself and answers `rejected`. Should it throw anything but an
 * operating error instead, that is a defect which one record may have provoked: the batch is halved
 * until it is found, so that it can't hold up the others for ever.
 */
async function applyIsolated<Job extends ClaimedJob>(
  jobs: readonly ReadableJob<Job>[],
  store: Store,
): Promise<readonly JobOutcome<Job>[]> {
  if (jobs.length === 0) return [];
  try {
    const results = await store.apply(jobs.map(({ item }) => item));
    return jobs.map((job, index) => outcomeOf(job, results[index]));
  } catch (error) {
    if (isTandemError(error)) throw error;
    const [only] = jobs;
    if (jobs.length === 1 && only !== undefined) {
      // Throws if the store as a whole is unwell: then it was not the record's failure.
      await store.idHighWater();
      return [{ ...only, end: 'failed', problem: { cause: 'defect', error: sentenceOf(error) } }];
    }
    const half = Math.ceil(jobs.length / 2);
    const first = await applyIsolated(jobs.slice(0, half), store);
    return [...first, ...(await applyIsolated(jobs.slice(half), store))];
  }
}

function outcomeOf<Job extends ClaimedJob>(
  readable: ReadableJob<Job>,
  result: ApplyResult | undefined,
): JobOutcome<Job> {
  if (result === undefined) throw new Error('apply() gave fewer results than items.');
  switch (result.verdict) {
    case 'apply':
      return { ...readable, end: 'applied' };
    case 'no-op':
      return { ...readable, end: 'superseded' };
    case 'rejected': {
      const problem = { cause: 'rejected', error: result.error };
      return { ...readable, end: result.permanent ? 'hopeless' : 'failed', problem };
    }
    case 'conflict':
    case 'fork':
      return {
        ...readable,
        end: 'hopeless',
        problem: { cause: result.verdict, error: disagreement(readable.item, result) },
      };
  }
}

function disagreement(
  item: Item,
  { verdict, stored }: Extract<ApplyResult, { verdict: 'conflict' | 'fork' | 'apply' | 'no-op' }>,
): string {
  const held =
    stored === undefined ? 'another state' : `epoch ${stored.epoch}, version ${stored.version}`;
  if (item.kind === 'key') return 'The key is known with another outcome.';
  const { epoch, version } = item.change;
  return verdict === 'conflict'
    ? `Epoch ${epoch}, version ${version} is held with other content.`
    : `Epoch ${epoch}, version ${version} does not descend from what is held (${held}).`;
}

/** What a log line needs to know of a change, without any of its content. */
export const factsOf = ({ collection, id, epoch, version }: Change) => ({
  collection,
  id,
  epoch,
  version,
});
