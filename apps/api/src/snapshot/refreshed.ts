import { sentenceOf } from '@tandem/storage/errors';

/** A read takes at most this share of the time, however slow it has become … */
const DUTY_MAX = 0.1;
/** … but is not left out for longer: one that waited for a server's return was not slow, and what it
 *  read is old by then. */
const REST_MAX_MS = 10_000;

export interface RefreshedOptions<T> {
  /** Ends by itself, also when the server hangs. */
  readonly read: () => Promise<T>;
  /** Between the begins of two reads. */
  readonly intervalMs: number;
  /** Milliseconds that only grow. */
  readonly clockMs?: () => number;
  /** Whoever asks waits this long for a read, and has the last one's value after that. */
  readonly patienceMs: number;
}

export interface Known<T> {
  /** `undefined` before the first read that succeeded. */
  readonly value: T | undefined;
  /** ISO instant of that read; `null` before the first. */
  readonly readAt: string | null;
  /** Why the last read failed. */
  readonly problem: string | null;
}

/** A value that is read when it is asked for, by one read at a time: nobody asking, nothing is read. */
export class Refreshed<T> {
  readonly #options: RefreshedOptions<T>;
  #known: Known<T> = { value: undefined, readAt: null, problem: null };
  #reading: Promise<void> | undefined;
  readonly #clockMs: () => number;
  #dueMs = 0;

  constructor(options: RefreshedOptions<T>) {
    this.#options = options;
    this.#clockMs = options.clockMs ?? (() => performance.now());
  }

  async ask(): Promise<Known<T>> {
    const { patienceMs } = this.#options;
    if (this.#reading === undefined && this.#clockMs() >= this.#dueMs) {
      this.#reading = this.#read().finally(() => {
        this.#reading = undefined;
      });
    }
    if (this.#reading !== undefined) await settledWithin(this.#reading, patienceMs);
    return this.#known;
  }

  async #read(): Promise<void> {
    const { read, intervalMs } = this.#options;
    const startedMs = this.#clockMs();
    const readAt = new Date().toISOString();
    try {
      this.#known = { value: await read(), readAt, problem: null };
    } catch (error) {
      this.#known = { ...this.#known, problem: sentenceOf(error) };
    }
    const endedMs = this.#clockMs();
    const restMs = (endedMs - startedMs) * (1 / DUTY_MAX - 1);
    this.#dueMs = Math.max(startedMs + intervalMs, endedMs + Math.min(restMs, REST_MAX_MS));
  }
}

/** Resolves when the work has ended, or the time is over. */
function settledWithin(work: Promise<void>, timeoutMs: number): Promise<void> {
  return new Promise((settle) => {
    const timer = setTimeout(settle, timeoutMs);
    void work.then(() => {
      clearTimeout(timer);
      settle();
    });
  });
}
