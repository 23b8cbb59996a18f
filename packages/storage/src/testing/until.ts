import { setTimeout as sleep } from 'node:timers/promises';

const INTERVAL_MS = 10;

/** Waits until `condition` gives something truthy, and returns it.
 *  @throws {Error} naming `what` when it did not within `timeoutMs` */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs = 30_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${what}`);
    await sleep(INTERVAL_MS);
  }
}
