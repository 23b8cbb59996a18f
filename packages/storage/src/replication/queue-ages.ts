import type { Pool } from 'pg';
import { queuesAreInstalled } from './backlog.ts';
import { QUEUE_SCHEMA } from './boss.ts';
import { QUEUES } from './job-sink.ts';

/** Seconds since the oldest job of a queue was put there, by queue name; `null` when it is empty. */
export type QueueAges = Readonly<Record<string, number | null>>;

const JOB = `${QUEUE_SCHEMA}.job`;

/** The first entry of pg-boss's fetch index, and the few jobs somebody has in hand. */
const OLDEST = `SELECT queue, extract(epoch FROM now() - least(
    (SELECT created_on FROM ${JOB} WHERE name = queue AND state < 'active' AND NOT blocked
     ORDER BY priority DESC, created_on LIMIT 1),
    (SELECT min(created_on) FROM ${JOB} WHERE name = queue AND state = 'active')))::text AS seconds
  FROM unnest($1::text[]) AS queue`;

/** How long changes wait in each queue, at a cost that does not grow with the queue. Before the queue
 *  schema exists nothing waits. */
export async function readQueueAges(pool: Pick<Pool, 'query'>): Promise<QueueAges> {
  if (!(await queuesAreInstalled(pool))) return {};
  const { rows } = await pool.query<{ queue: string; seconds: string | null }>(OLDEST, [
    Object.values(QUEUES),
  ]);
  return Object.fromEntries(
    rows.map(({ queue, seconds }) => [queue, seconds === null ? null : Number(seconds)]),
  );
}
