import {
  noObserver,
  type Observer,
  SHADOW_READ_ENDS,
  type ShadowReadEnd,
} from '@tandem/storage/observer';
import type { ProcessWork } from '@tandem/storage/phase';

/** A lag is told for this long; then it says nothing of now. */
const LAG_TOLD_MS = 5_000;

/** Counts what this process does, for those who ask who runs and what came of it. */
export class WorkTally {
  #written = 0;
  #applied = 0;
  #failed = 0;
  #lag = { ms: 0, atMs: Number.NEGATIVE_INFINITY };
  readonly #shadowReads: Record<ShadowReadEnd, number>;
  readonly observer: Observer;

  constructor() {
    const ends = SHADOW_READ_ENDS.map((end) => [end, 0] as const);
    this.#shadowReads = Object.fromEntries(ends) as Record<ShadowReadEnd, number>;
    this.observer = {
      ...noObserver,
      committed: ({ written }) => {
        this.#written += written;
      },
      applied: ({ endedMs, jobs }) => {
        for (const { item, end } of jobs) {
          // A key goes the same way beside its change, which is counted.
          if (item?.kind === 'key') continue;
          if (end === 'applied' || end === 'superseded') this.#applied += 1;
        }
        // The first has waited the longest, or nearly so.
        const item = jobs[0]?.item;
        if (item?.kind === 'change') this.#noteLag(endedMs, Date.parse(item.change.at));
      },
      failed: () => {
        this.#failed += 1;
      },
      shadowRead: ({ end }) => {
        this.#shadowReads[end] += 1;
      },
    };
  }

  /** Since the process began. */
  get now(): ProcessWork {
    const isLate = performance.now() - this.#lag.atMs > LAG_TOLD_MS;
    return {
      ...{ written: this.#written, applied: this.#applied, failed: this.#failed },
      lagMs: isLate ? null : this.#lag.ms,
      shadowReads: { ...this.#shadowReads },
    };
  }

  #noteLag(endedMs: number, changedAtMs: number): void {
    // Two machines' clocks may differ by more than a lag.
    const ms = Math.max(0, Math.round(performance.timeOrigin + endedMs - changedAtMs));
    if (Number.isNaN(ms)) return;
    if (ms >= this.#lag.ms || endedMs - this.#lag.atMs > LAG_TOLD_MS) {
      this.#lag = { ms, atMs: endedMs };
    }
  }
}
