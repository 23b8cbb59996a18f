import { setTimeout as sleep } from 'node:timers/promises';

const PROBE_INTERVAL_MS = 100;

/** Waits until a condition holds, asking less often than tests do (`until`): whoever is asked is under faults, and
 *  under load. @throws {Error} naming it */
export async function waitFor(
  what: string,
  timeoutMs: number,
  holds: () => Promise<boolean>,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`${what} took more than ${timeoutMs} ms.`);
    await sleep(PROBE_INTERVAL_MS);
  }
}
