import type { Log } from '../log.ts';
import type { StoreName } from '../phase/index.ts';

export interface DirectionPauseOptions {
  readonly direction: StoreName;
  readonly queue: string;
  readonly log: Log;
  /** How many jobs wait; `undefined` while that can't be asked. */
  readonly waiting: () => Promise<number | undefined>;
}

/** Whether a direction is paused, because its secondary or its queue is away. Said when it begins and when it
 *  is over; what it goes on for is said at debug level. */
export class DirectionPause {
  readonly #options: DirectionPauseOptions;
  #current: { readonly since: string; readonly because: string } | undefined;

  constructor(options: DirectionPauseOptions) {
    this.#options = options;
  }

  /** `since` is an ISO instant; `undefined` while the direction is worked. */
  get current(): { readonly since: string; readonly because: string } | undefined {
    return this.#current;
  }

  /** Begins, or goes on for this reason. */
  async for(because: string): Promise<void> {
    const { direction, queue, log } = this.#options;
    if (this.#current !== undefined) {
      this.#current = { ...this.#current, because };
      const fields = { direction, error: because };
      log.debug(fields, `Dual-write: ${queue} still paused: ${because}`);
      return;
    }
    const since = new Date().toISOString();
    this.#current = { since, because };
    const waiting = await this.#options.waiting();
    log.warn(
      { direction, since, waiting, error: because },
      `Dual-write: ${queue} paused since ${since}, ${waiting ?? 'an unknown number of'} jobs wait: ${because}`,
    );
  }

  end(): void {
    if (this.#current === undefined) return;
    const { since } = this.#current;
    this.#current = undefined;
    const { direction, queue, log } = this.#options;
    log.info({ direction, since }, `Dual-write: ${queue} resumed, it was paused since ${since}`);
  }
}
