import { setImmediate as nextTurn } from 'node:timers/promises';

/** Longest that background work keeps the event loop: a batch of writes takes about as long. */
const SLICE_MS = 1;
/** For work that may well take longer in all: a write waits for a slice at each of its turns. */
export const SHORT_SLICE_MS = 0.25;
/** Steps between two looks at the clock. */
const STEPS = 16;

/**
 * Cuts long work into slices, so that requests and commits get their turn between them:
 *
 *   for (…) { …; if (slice.isOver()) await slice.next(); }
 */
export class TimeSlice {
  readonly #sliceMs: number;
  #started = performance.now();
  #steps = 0;

  constructor(sliceMs = SLICE_MS) {
    this.#sliceMs = sliceMs;
  }

  /** Call once a step of some microseconds. */
  isOver(): boolean {
    if (++this.#steps < STEPS) return false;
    this.#steps = 0;
    return performance.now() - this.#started >= this.#sliceMs;
  }

  /** Lets everything else run that is ready to. */
  async next(): Promise<void> {
    await nextTurn();
    this.#started = performance.now();
  }
}
