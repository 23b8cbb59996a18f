//   taken (`taken-jobs.ts`) ──settle──> gone | retry | dead letter
import type { Pool } from 'pg';
import { QUEUE_SCHEMA } from './boss.ts';
import type { JobFailure } from './job-failure.ts';
import { deadLetterQueueOf } from './queues.ts';

/**
 * What the worker needs of pg-boss's job table beyond pg-boss's own calls. The version of pg-boss is
 * pinned, and `claims.test.ts` sees each statement work on its real schema.
 *
 * `retry_count` goes up whenever a job is claimed or fails anew: with the job's id it names one try, and
 * fences the statements that settle it.
 */
export interface Claim {
  readonly id: string;
  readonly retryCount: number;
}

const TABLE = `${QUEUE_SCHEMA}.job`;
const idsOf = (claims: readonly Claim[]): string[] => claims.map(({ id }) => id);
const countsOf = (claims: readonly Claim[]): number[] => claims.map(({ retryCount }) => retryCount);

/**
 * Makes jobs available again that were fetched in pg-boss's way, which marks them (nobody here does), and
 * whose holder fell silent. Without a delay, and without touching the failure a job carries.
 * @param lapseMs 0 takes every such job
 * @returns how many came back
 */
export async function takeBackLapsed(pool: Pool, queue: string, lapseMs: number): Promise<number> {
  const { rowCount } = await pool.query(
    `UPDATE ${TABLE} SET state = 'retry', heartbeat_on = NULL, start_after = now()
     WHERE name = $1 AND state = 'active'
       AND coalesce(heartbeat_on, started_on) <= now() - $2 * interval '1 ms'`,
    [queue, lapseMs],
  );
  return rowCount ?? 0;
}

/** Lets what waits for another try be fetched at once; the failures that the jobs carry stand. */
export async function tryAgainNow(pool: Pool, queue: string): Promise<void> {
  await pool.query(
    `UPDATE ${TABLE} SET start_after = now()
     WHERE name = $1 AND state < 'active' AND start_after > now()`,
    [queue],
  );
}

/**
 * Jobs that can be taken so many milliseconds from now (SQL). One that never failed waits for nothing: its
 * instant is the server's at its insertion, and that clock may have been set back since.
 */
export const isDue = (inMs: string): string =>
  `(state = 'created' OR start_after <= now() + ${inMs} * interval '1 ms')`;

/** How many jobs of a queue may still be applied within the span: those that can be fetched by then,
 *  and those that somebody has in hand. */
export async function jobsDueWithin(pool: Pool, queue: string, spanMs: number): Promise<number> {
  const { rows } = await pool.query<{ jobs: number }>(
    `SELECT count(*)::int AS jobs FROM ${TABLE}
     WHERE name = $1 AND (state = 'active'
       OR (state < 'active' AND ${isDue('$2')}))`,
    [queue, spanMs],
  );
  return rows[0]?.jobs ?? 0;
}

/** Removes jobs that are done. */
export async function removeDone(
  client: Pick<Pool, 'query'>,
  queue: string,
  done: readonly Claim[],
): Promise<void> {
  if (done.length === 0) return;
  // Ids are plain: spelled as an array here, which costs the driver's own way a multiple.
  const ids = `{${idsOf(done).join(',')}}`;
  await client.query(`DELETE FROM ${TABLE} WHERE name = $1 AND id = ANY ($2::uuid[])`, [
    queue,
    ids,
  ]);
}

/** A job in hand that failed. */
export interface FailedClaim {
  readonly claim: Claim;
  readonly failure: JobFailure;
}

const GIVEN = `given AS (
  SELECT * FROM unnest($2::uuid[], $3::int[], $4::text[]) AS g (id, retry_count, failure))`;

const givenValues = (queue: string, failed: readonly FailedClaim[]): unknown[] => {
  const claims = failed.map(({ claim }) => claim);
  const failures = failed.map(({ failure }) => JSON.stringify(failure));
  return [queue, idsOf(claims), countsOf(claims), failures];
};

/** Fails jobs for now: they come again after pg-boss's backoff, with their failure. */
export async function failForNow(
  pool: Pick<Pool, 'query'>,
  queue: string,
  failed: readonly FailedClaim[],
): Promise<void> {
  if (failed.length === 0) return;
  await pool.query(
    `WITH ${GIVEN}
     UPDATE ${TABLE} AS j SET state = 'retry', output = g.failure::jsonb, heartbeat_on = NULL,
       retry_count = j.retry_count + 1,
       start_after = clock_timestamp() + interval '1s' * least(j.retry_delay_max,
         greatest(j.retry_delay, 1) * 2 ^ least(16, j.retry_count + 1) / 2 * (1 + random()))
     FROM given g WHERE j.name = $1 AND j.state <= 'active'
       AND j.id = g.id AND j.retry_count = g.retry_count`,
    givenValues(queue, failed),
  );
}

/**
 * Fails jobs for good: they move to the dead-letter queue with their failure, all in one
 * statement. Written as pg-boss does it for one failure that all share; here each has its own. They are
 * dead since now, not since they were taken (`now()` of this transaction): an act that began in between
 * did not mean them.
 */
export async function deadLetter(
  pool: Pick<Pool, 'query'>,
  queue: string,
  failed: readonly FailedClaim[],
): Promise<void> {
  if (failed.length === 0) return;
  await pool.query(
    `WITH ${GIVEN}, gone AS (
       DELETE FROM ${TABLE} AS j USING given g
       WHERE j.name = $1 AND j.state <= 'active' AND j.id = g.id AND j.retry_count = g.retry_count
       RETURNING j.*, g.failure),
     moment AS MATERIALIZED (SELECT clock_timestamp() AS at)
     INSERT INTO ${TABLE} (name, priority, data, retry_limit, retry_backoff, retry_delay, keep_until,
       deletion_seconds, expire_seconds, singleton_key, group_id, group_tier, heartbeat_seconds,
       source_name, source_id, source_created_on, source_retry_count, source_output,
       source_root_id, trace_context, created_on)
     SELECT q.name, j.priority, j.data, q.retry_limit, q.retry_backoff, q.retry_delay,
       moment.at + q.retention_seconds * interval '1s', q.deletion_seconds, q.expire_seconds,
       j.singleton_key, j.group_id, j.group_tier, q.heartbeat_seconds,
       j.name, j.id, j.created_on, j.retry_count, j.failure::jsonb,
       coalesce(j.source_root_id, j.id), j.trace_context, moment.at
     FROM gone j JOIN ${QUEUE_SCHEMA}.queue q ON q.name = $5, moment`,
    [...givenValues(queue, failed), deadLetterQueueOf(queue)],
  );
}
