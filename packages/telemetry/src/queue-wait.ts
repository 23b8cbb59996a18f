import type { Aged } from './standing.ts';

/** Longer than it takes until the database is read again, also where a read is slow. */
const FRESH_SECONDS = 60;

/**
 * How long the oldest job of a queue has waited.
 * @param seconds what it had waited when the database was read; `null`: there was none
 * @param ageSeconds since then. A moment later that job is most likely gone, so its wait is told as it was
 *   read; where the database can not be read for long nobody settles a job either, and it waits on
 */
export function queueWaitSeconds(seconds: number | null, ageSeconds: number): number {
  if (seconds === null) return 0;
  return ageSeconds > FRESH_SECONDS ? seconds + ageSeconds : seconds;
}

/**
 * How long the oldest change in the journal has waited for the queue.
 * @param seen the first one behind `seq`, as it was read last; `undefined`: there was none
 * @param relayedSeq how far the queue has them by now. What it has got since then waits no longer, and is told
 *   as it was read: the next read sees what is the oldest now
 */
export function journalWaitSeconds(
  seen: Aged<{ readonly seq: number; readonly at: string }> | undefined,
  relayedSeq: number,
): number {
  if (seen === undefined) return 0;
  const { value, ageSeconds } = seen;
  const seconds = (Date.now() - Date.parse(value.at)) / 1_000;
  return Math.max(0, relayedSeq > value.seq ? seconds - ageSeconds : seconds);
}
