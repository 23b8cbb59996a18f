//   due ──worker──> gone
//   waits for another try ──> due now ──> gone, or it waits again: then the queue can't be drained
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { jobsDueWithin, tryAgainNow } from './claims.ts';

const POLL_MS = 10;
/** No job waits longer for another try. */
const BACKOFF_MAX_MS = 24 * 3_600_000;

/**
 * Waits until nothing is left in a queue, jobs that wait for another try included: what they carry was
 * acknowledged, and the secondary may lack it (I6). They are tried again at once.
 * @returns false at the deadline, or as soon as nothing more can come of waiting for it
 */
export async function drained(pool: Pool, queue: string, timeoutMs: number): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  await tryAgainNow(pool, queue);
  for (;;) {
    const leftMs = deadlineMs - performance.now();
    const due = await jobsDueWithin(pool, queue, Math.max(0, leftMs));
    if (due === 0) return (await jobsDueWithin(pool, queue, BACKOFF_MAX_MS)) === 0;
    if (leftMs < 0) return false;
    await sleep(POLL_MS);
  }
}
