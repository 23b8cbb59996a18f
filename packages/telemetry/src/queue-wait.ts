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
