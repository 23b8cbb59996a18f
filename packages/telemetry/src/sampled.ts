//   start ──> read ──> wait (the interval, or longer after a slow read) ──> read …
//   A read that fails or hangs leaves the value as it was; its age says so.
import { sentenceOf } from '@tandem/storage/errors';
import type { Log } from '@tandem/storage/log';
import type { Aged } from './standing.ts';

/** A read takes at most this share of the time, however slow it has become … */
const DUTY_MAX = 0.1;
/** … but is not left out for longer: one that waited for a server's return was not slow. */
const WAIT_MAX_MS = 30_000;

export interface SampledOptions<T> {
  /** For the log. */
  readonly name: string;
  /** Ends by itself, also when the server hangs. `undefined`: there is no such thing at the moment. */
  readonly read: () => Promise<T | undefined>;
  readonly intervalMs: number;
  readonly log: Log;
}

/** A value that is read beside everything else, so that whoever asks never waits. */
export class Sampled<T> {
  readonly #options: SampledOptions<T>;
  #last: { readonly value: T; readonly atMs: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: SampledOptions<T>) {
    this.#options = options;
  }

  /** As last read; `undefined` before the first time. */
  get current(): Aged<T> | undefined {
    if (this.#last === undefined) return undefined;
    const { value, atMs } = this.#last;
    return { value, ageSeconds: (performance.now() - atMs) / 1_000 };
  }

  start(): void {
    this.#running = this.#readOnce();
  }

  /** Resolves when no read is under way any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #readOnce(): Promise<void> {
    const { name, read, intervalMs, log } = this.#options;
    const startedMs = performance.now();
    try {
      const value = await read();
      this.#last = value === undefined ? undefined : { value, atMs: startedMs };
    } catch (error) {
      log.debug({ error: sentenceOf(error) }, `${name} could not be read for the metrics`);
    }
    if (this.#stopped) return;
    const tookMs = performance.now() - startedMs;
    const waitMs = Math.max(intervalMs, Math.min(tookMs / DUTY_MAX, WAIT_MAX_MS));
    this.#timer = setTimeout(() => this.start(), waitMs).unref();
  }
}
