import type { PoolClient } from 'pg';
import { QUEUE_SCHEMA } from './boss.ts';

/**
 * As `boss.insert` does it for jobs that have nothing but data, which is all of ours: one `jsonb`, read
 * once, in place of a record set of twenty columns (docs/decisions/0030). The version of pg-boss is
 * pinned, and `insert-jobs.test.ts` compares the rows column by column.
 */
const INSERT = `INSERT INTO ${QUEUE_SCHEMA}.job (name, data, expire_seconds, deletion_seconds, keep_until,
    retry_limit, retry_delay, retry_backoff, retry_delay_max, policy, dead_letter, heartbeat_seconds)
  SELECT q.name, given.data, q.expire_seconds, q.deletion_seconds,
    now() + q.retention_seconds * interval '1s', q.retry_limit, q.retry_delay, q.retry_backoff,
    q.retry_delay_max, q.policy, q.dead_letter, q.heartbeat_seconds
  FROM ${QUEUE_SCHEMA}.queue AS q, jsonb_array_elements($2::jsonb) AS given (data) WHERE q.name = $1`;

/**
 * Inserts jobs in the transaction of a client.
 * @param data JSON texts
 * @throws {Error} when they were not all inserted: there is no such queue
 */
export async function insertJobs(
  client: PoolClient,
  queue: string,
  data: readonly string[],
): Promise<void> {
  const { rowCount } = await client.query(INSERT, [queue, `[${data.join(',')}]`]);
  if (rowCount !== data.length) {
    throw new Error(`${rowCount} of ${data.length} jobs were put into ${queue}.`);
  }
}
