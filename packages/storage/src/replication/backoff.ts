import { setTimeout as sleep } from 'node:timers/promises';

export interface BackoffBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

/** Doubling from `minMs` to `maxMs`, by up to half less at random so that processes don't march in
 *  step. `attempt` counts from 0. */
export function backoffMs(attempt: number, { minMs, maxMs }: BackoffBounds): number {
  const full = Math.min(maxMs, minMs * 2 ** Math.min(attempt, 30));
  return full * (1 - Math.random() / 2);
}

/** Resolves after `ms`, or as soon as the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** A promise that never resolves and rejects with the signal's reason once it aborts. */
export function rejectsWith(signal: AbortSignal): Promise<never> {
  const rejection = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // Whoever races with it looks at the race only.
  rejection.catch(() => undefined);
  return rejection;
}
