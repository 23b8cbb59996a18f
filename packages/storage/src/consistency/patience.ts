import { setTimeout as sleep } from 'node:timers/promises';

const PAUSE_MIN_MS = 20;
const PAUSE_MAX_MS = 1_000;
/** Of what is left of the patience, for one look: a record that is written all the time leaves some for
 *  the looks after it. */
const LOOK_SHARE = 0.75;

/** How long a run waits for what is moving, in all. Reading may take as long as it takes. */
export class Patience {
  readonly #signal: AbortSignal | undefined;
  #restMs: number;

  constructor(patienceMs: number, signal: AbortSignal | undefined) {
    this.#restMs = patienceMs;
    this.#signal = signal;
  }

  /** @throws `signal.reason` when aborted */
  check(): void {
    this.#signal?.throwIfAborted();
  }

  /** A look at what differs, with its share; what it does not use is there for the next one. */
  async during<T>(look: (wait: Wait) => Promise<T>): Promise<T> {
    const beganMs = performance.now();
    try {
      return await look(new Wait(beganMs + this.#restMs * LOOK_SHARE, this.#signal));
    } finally {
      this.#restMs = Math.max(0, this.#restMs - (performance.now() - beganMs));
    }
  }
}

/** How long one look waits. */
export class Wait {
  readonly #deadlineMs: number;
  readonly #signal: AbortSignal | undefined;

  /** @param deadlineMs by `performance.now()` */
  constructor(deadlineMs: number, signal: AbortSignal | undefined) {
    this.#deadlineMs = deadlineMs;
    this.#signal = signal;
  }

  get isOver(): boolean {
    return performance.now() >= this.#deadlineMs;
  }

  /** @throws `signal.reason` when aborted */
  check(): void {
    this.#signal?.throwIfAborted();
  }

  /** Waits, longer with each attempt, but not beyond the end. */
  async pause(attempt: number): Promise<void> {
    const rest = Math.max(0, this.#deadlineMs - performance.now());
    const ms = Math.min(PAUSE_MIN_MS * 2 ** Math.min(attempt, 10), PAUSE_MAX_MS, rest);
    try {
      await sleep(ms, undefined, this.#signal === undefined ? {} : { signal: this.#signal });
    } catch (error) {
      this.check();
      throw error;
    }
  }
}
