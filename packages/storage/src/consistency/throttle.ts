//   calm:    duty grows by a step, up to 1 (no rest)
//   suffers: duty halves, down to a tenth: never a standstill
/** Above this delay of the event loop (90th percentile of a look) live requests suffer: one stall
 *  alone, as a collection of garbage makes it, says nothing. */
export const DELAY_MAX_MS = 40;
/** A catch-up works at least this share of the time, so that it ends. */
const DUTY_MIN = 0.1;
const DUTY_STEP = 0.1;

/**
 * The share of the time to work in, from what was measured since the last decision. Pure.
 * @param delayMs how long the event loop let its callers wait
 */
export function nextDuty(duty: number, delayMs: number): number {
  if (delayMs > DELAY_MAX_MS) return Math.max(DUTY_MIN, duty / 2);
  return Math.min(1, Math.round((duty + DUTY_STEP) * 100) / 100);
}

/** How long to rest after having worked, so that work is that share of both. Pure. */
export const restMs = (duty: number, workedMs: number): number => workedMs / duty - workedMs;
