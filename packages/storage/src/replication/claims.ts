//   created/retry ──fetch──> active (claimed, heartbeat) ──settle──> gone | retry | dead letter
//        ^                      │
//        ├── giveBack ──────────┤  by its holder: nothing is used up
//        └── takeBackLapsed ────┘  by any worker: the holder died
import type { Pool } from 'pg';
import { QUEUE_SCHEMA } from './boss.ts';
import { type JobFailure, type PastFailures, readPastFailures } from './job-failure.ts';
import { deadLetterQueueOf } from './queues.ts';

/**
 * What the worker needs of pg-boss's job table beyond pg-boss's own calls. The version of pg-boss is
 * pinned, and `claims.test.ts` sees each statement work on its real schema.
 *
 * pg-boss raises `retry_count` at every new claim of a job that was claimed before; together with
 * `state = 'active'` it names one claim, and fences every statement here.
 */
export interface Claim {
  readonly id: string;
  readonly retryCount: number;
}

/** How long a holder may be silent before another worker takes its claims back, in ms. Taking back
 *  too early is harmless: applying is idempotent (I4), and the fence holds the late settle off. */
export const CLAIM_LAPSE_MS = 6_000;
export const CLAIM_REFRESH_MS = 2_000;

const TABLE = `${QUEUE_SCHEMA}.job`;
const CLAIMED = `name = $1 AND state = 'active'
  AND (id, retry_count) IN (SELECT * FROM unnest($2::uuid[], $3::int[]))`;

const idsOf = (claims: readonly Claim[]): string[] => claims.map(({ id }) => id);
const countsOf = (claims: readonly Claim[]): number[] => claims.map(({ retryCount }) => retryCount);

/** Puts claimed jobs back as they were before the claim. */
export async function giveBack(pool: Pool, queue: string, claims: readonly Claim[]): Promise<void> {
  if (claims.length === 0) return;
  await pool.query(
    `UPDATE ${TABLE} SET state = CASE WHEN retry_count = 0 THEN 'created' ELSE 'retry' END::${QUEUE_SCHEMA}.job_state,
       started_on = NULL, heartbeat_on = NULL, start_after = now()
     WHERE ${CLAIMED}`,
    [queue, idsOf(claims), countsOf(claims)],
  );
}

/**
 * Makes the jobs of silent holders available again, without a delay and without touching the failure
 * a job carries: a crash is never a record's failure.
 * @param lapseMs 0 takes every claim: for a worker that knows it is the only one
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

/** How many jobs of a queue may still be applied within the span: those that can be fetched by then,
 *  and those that somebody has in hand. */
export async function jobsDueWithin(pool: Pool, queue: string, spanMs: number): Promise<number> {
  const { rows } = await pool.query<{ jobs: number }>(
    `SELECT count(*)::int AS jobs FROM ${TABLE}
     WHERE name = $1 AND (state = 'active'
       OR (state < 'active' AND start_after <= now() + $2 * interval '1 ms'))`,
    [queue, spanMs],
  );
  return rows[0]?.jobs ?? 0;
}

/**
 * What each job's record failed with by itself so far. It lives in the job's last failure, not in
 * `retry_count`, which crashes raise too. (Should pg-boss's own sweep take a claim back first, it
 * overwrites the failure and the count starts anew: later, never too early.)
 */
export async function pastFailures(
  pool: Pool,
  queue: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, PastFailures>> {
  if (ids.length === 0) return new Map();
  const { rows } = await pool.query<{ id: string; output: string }>(
    `SELECT id, output::text AS output FROM ${TABLE}
     WHERE name = $1 AND id = ANY ($2::uuid[]) AND output IS NOT NULL`,
    [queue, ids],
  );
  return new Map(rows.map(({ id, output }) => [id, readPastFailures(JSON.parse(output))]));
}

/** A claimed job that failed. */
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

/** Fails claimed jobs for now: they come again after pg-boss's backoff, with their failure. */
export async function failForNow(
  pool: Pick<Pool, 'query'>,
  queue: string,
  failed: readonly FailedClaim[],
): Promise<void> {
  if (failed.length === 0) return;
  await pool.query(
    `WITH ${GIVEN}
     UPDATE ${TABLE} AS j SET state = 'retry', output = g.failure::jsonb, heartbeat_on = NULL,
       start_after = now() + interval '1s' * least(j.retry_delay_max,
         greatest(j.retry_delay, 1) * 2 ^ least(16, j.retry_count + 1) / 2 * (1 + random()))
     FROM given g WHERE j.name = $1 AND j.state = 'active'
       AND j.id = g.id AND j.retry_count = g.retry_count`,
    givenValues(queue, failed),
  );
}

/**
 * Fails claimed jobs for good: they move to the dead-letter queue with their failure, all in one
 * statement. Written as pg-boss does it for one failure that all share; here each has its own.
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
       WHERE j.name = $1 AND j.state = 'active' AND j.id = g.id AND j.retry_count = g.retry_count
       RETURNING j.*, g.failure)
     INSERT INTO ${TABLE} (name, priority, data, retry_limit, retry_backoff, retry_delay, keep_until,
       deletion_seconds, expire_seconds, singleton_key, group_id, group_tier, heartbeat_seconds,
       source_name, source_id, source_created_on, source_retry_count, source_output,
       source_root_id, trace_context)
     SELECT q.name, j.priority, j.data, q.retry_limit, q.retry_backoff, q.retry_delay,
       now() + q.retention_seconds * interval '1s', q.deletion_seconds, q.expire_seconds,
       j.singleton_key, j.group_id, j.group_tier, q.heartbeat_seconds,
       j.name, j.id, j.created_on, j.retry_count, j.failure::jsonb,
       coalesce(j.source_root_id, j.id), j.trace_context
     FROM gone j JOIN ${QUEUE_SCHEMA}.queue q ON q.name = $5`,
    [...givenValues(queue, failed), deadLetterQueueOf(queue)],
  );
}
