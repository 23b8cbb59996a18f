import { setTimeout as sleep } from 'node:timers/promises';

const PROBE_INTERVAL_MS = 25;

/**
 * Waits until a condition holds.
 * @throws {Error} naming `what` when it does not within `timeoutMs`
 */
export async function until(done: () => boolean, timeoutMs: number, what: string): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!done()) {
    if (Date.now() > deadline) throw new Error(`${what} did not stop within ${timeoutMs} ms.`);
    await sleep(PROBE_INTERVAL_MS);
  }
}
