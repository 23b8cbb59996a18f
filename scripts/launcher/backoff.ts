const FIRST_MS = 1_000;
const MAX_MS = 30_000;
/** A run this long is no part of a series of failures any more. */
const STEADY_MS = 30_000;

/** Waits between restarts: 1 s, doubled up to 30 s, from the start again after a steady run. */
export class RestartBackoff {
  #failures = 0;

  /** The wait before the next restart, in ms, after a run that lasted `ranMs`. */
  next(ranMs: number): number {
    if (ranMs >= STEADY_MS) this.#failures = 0;
    const waitMs = Math.min(FIRST_MS * 2 ** this.#failures, MAX_MS);
    this.#failures += 1;
    return waitMs;
  }
}
