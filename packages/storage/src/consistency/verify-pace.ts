import { setTimeout as sleep } from 'node:timers/promises';
import { restMs } from './throttle.ts';

/** The share of the time that a comparison works in while somebody writes: about so many of the writes meet a part
 *  of it, and are slowed down (measured in `bench/README.md`). */
const DUTY = 0.1;
/** A part that took very long, as on a stuck server, is not rested from for as long. */
const REST_MAX_MS = 500;

/**
 * Gives rest between the parts of a comparison: a part keeps a processor of the server and one of this
 * process busy, and writes wait for both. Where nobody writes there is nobody to rest for.
 */
export class VerifyPace {
  readonly #writes: (() => number) | undefined;
  #seen: number | undefined;
  #workingMs = performance.now();
  /** Until a part has shown that nobody writes. */
  #isWritten = true;

  /** @param writes a number that moves with every write; without one somebody may always write */
  constructor(writes: (() => number) | undefined) {
    this.#writes = writes;
    this.#seen = writes?.();
  }

  /** Whether something was written during the last part, or may have been. */
  get isWritten(): boolean {
    return this.#isWritten;
  }

  /** How long to rest after a part that took so many milliseconds. */
  restMs(workedMs: number): number {
    const seen = this.#writes?.();
    this.#isWritten = seen === undefined || seen !== this.#seen;
    this.#seen = seen;
    return this.#isWritten ? Math.min(restMs(DUTY, workedMs), REST_MAX_MS) : 0;
  }

  /** Call after each part. @throws the signal's reason */
  async rest(signal: AbortSignal | undefined): Promise<void> {
    const ms = this.restMs(performance.now() - this.#workingMs);
    if (ms >= 1) {
      await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
      signal?.throwIfAborted();
    }
    this.#workingMs = performance.now();
  }
}
