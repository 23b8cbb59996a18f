//   enqueue ──NOTIFY──> LISTEN ──> worker fetches now
//   (lost, or no listener: the worker's polling finds the jobs a little later)
import type { Pool } from 'pg';
import type { Log } from '../log.ts';
import { listen } from './listen.ts';

const CHANNEL = 'tandem_jobs';

/** Says that a queue has jobs. Takes effect when the connection's transaction commits. */
export async function sayJobsArrived(
  connection: { query(text: string, values: unknown[]): Promise<unknown> },
  queue: string,
): Promise<void> {
  await connection.query('SELECT pg_notify($1, $2)', [CHANNEL, queue]);
}

/**
 * Calls back for every queue that is said to have jobs, for as long as it takes (`listen.ts`).
 * @returns a function that ends it
 */
export const listenForJobs = (
  pool: Pool,
  onJobs: (queue: string) => void,
  log: Log,
): (() => Promise<void>) => listen(pool, { channel: CHANNEL, onNotified: onJobs }, log);
