import { performance } from 'node:perf_hooks';

/** How batches follow each other. Both answers cost nothing but time, never safety. */
export interface Pace {
  /** Whether the next batch goes to the disk before the last one is answered. */
  overlaps(tasks: number): boolean;
  /** Whether tasks that wait while the disk is idle are halved, so that the halves can overlap. */
  halves(tasks: number): boolean;
  /** A batch of so many tasks became durable, so many milliseconds after its sync was asked for. */
  synced(tasks: number, ms: number): void;
}

/** Syncs looked back at: the shortest is what the disk takes when this thread is not in the way. */
const SYNCS = 16;
/** Share of the newest figure in the mean of what a task costs. */
const NEWEST_SHARE = 1 / 8;
/** Below this a batch is too small for halves to be worth a second sync. */
const HALVED_TASKS_MIN = 16;

/**
 * Measures what pays. With `n` callers that each wait for their answer, one batch of all of them takes
 * `sync + n × cost`, since nobody calls while the disk is busy; two halves take `2 × max(sync, n/2 × cost)`,
 * since one half is worked on while the other is synced. Halves are faster just when `sync < n × cost`: with
 * a slow disk larger batches win, with a fast one overlap does. `cost` is everything this thread does for
 * a write, the callers' part included.
 */
export class MeasuredPace implements Pace {
  readonly #syncs: number[] = [];
  #next = 0;
  #taskMs = 0;
  #activeMs = performance.eventLoopUtilization().active;

  overlaps(tasks: number): boolean {
    return this.#syncs.length > 0 && Math.min(...this.#syncs) < tasks * this.#taskMs;
  }

  halves(tasks: number): boolean {
    return tasks >= HALVED_TASKS_MIN && this.overlaps(tasks);
  }

  synced(tasks: number, ms: number): void {
    this.#syncs[this.#next] = ms;
    this.#next = (this.#next + 1) % SYNCS;
    const { active } = performance.eventLoopUtilization();
    const taskMs = (active - this.#activeMs) / tasks;
    this.#activeMs = active;
    this.#taskMs += (taskMs - this.#taskMs) * NEWEST_SHARE;
  }
}
