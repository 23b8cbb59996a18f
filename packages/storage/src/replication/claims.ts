//   created/retry ──fetch──> active (claimed, heartbeat) ──settle──> gone | retry | dead letter
//        ^                      │
//        ├── giveBack ──────────┤  by its holder: nothing is used up
//        └── takeBackLapsed ────┘  by any worker: the holder died
import type { Pool } from 'pg';
import type { PgBoss } from 'pg-boss';
import { bossDatabase, QUEUE_SCHEMA } from './boss.ts';
import { inTransaction } from './transaction.ts';

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
const TRANSACTION_TIMEOUT_MS = 30_000;

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

/** Why a job failed: the output pg-boss keeps with it, and passes on to its dead letter. */
export interface JobFailure {
  readonly cause: string;
  readonly error: string;
  /** Failures of the record itself so far, this one included. */
  readonly failures: number;
  /** ISO instant. */
  readonly at: string;
}

/**
 * How often each job's record failed by itself. The count lives in the job's last failure, not in
 * `retry_count`, which crashes raise too. (Should pg-boss's own sweep take a claim back first, it
 * overwrites the failure and the count starts anew: later, never too early.)
 */
export async function failuresOf(
  pool: Pool,
  queue: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (ids.length === 0) return new Map();
  const { rows } = await pool.query<{ id: string; failures: string }>(
    `SELECT id, output->>'failures' AS failures FROM ${TABLE}
     WHERE name = $1 AND id = ANY ($2::uuid[]) AND output->>'failures' ~ '^[0-9]{1,9}$'`,
    [queue, ids],
  );
  return new Map(rows.map(({ id, failures }) => [id, Number(failures)]));
}

/** Fails claimed jobs for good: pg-boss moves them to the dead-letter queue with their failure. */
export async function deadLetter(
  boss: PgBoss,
  pool: Pool,
  queue: string,
  letters: readonly { readonly claim: Claim; readonly failure: JobFailure }[],
): Promise<void> {
  await inTransaction(pool, { timeoutMs: TRANSACTION_TIMEOUT_MS }, async (client) => {
    const claims = letters.map(({ claim }) => claim);
    // pg-boss dead-letters what reached its limit; outside `work()` it has no other way to say it.
    await client.query(`UPDATE ${TABLE} SET retry_limit = retry_count WHERE ${CLAIMED}`, [
      queue,
      idsOf(claims),
      countsOf(claims),
    ]);
    for (const { claim, failure } of letters) {
      await boss.fail(queue, { ...claim }, storable(failure), { db: bossDatabase(client) });
    }
  });
}

/** A text with NUL or a lone surrogate is no `jsonb`: the failing would fail, and the job be stuck. */
export const storable = (failure: JobFailure): JobFailure => ({
  ...failure,
  error: failure.error.replaceAll('\0', '\uFFFD').toWellFormed(),
});
