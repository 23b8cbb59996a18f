import { setImmediate as nextTurn } from 'node:timers/promises';

/** Longest that background work keeps the event loop: a batch of writes takes about as long. */
const SLICE_MS = 1;
/** Steps between two looks at the clock. */
const STEPS = 16;

/**
 * Cuts long work into slices, so that requests and commits get their turn between them:
 *
 *   for (…) { …; if (slice.isOver()) await slice.next(); }
 */
export class TimeSlice {
  #started = performance.now();
  #steps = 0;

  /** Call once a step of some microseconds. */
  isOver(): boolean {
    if (++this.#steps < STEPS) return false;
    this.#steps = 0;
    return performance.now() - this.#started >= SLICE_MS;
  }

  /** Lets everything else run that is ready to. */
  async next(): Promise<void> {
    await nextTurn();
    this.#started = performance.now();
  }
}
