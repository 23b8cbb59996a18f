import { sentenceOf } from '@tandem/storage/errors';
import type { Log } from '@tandem/storage/log';
import { schemaIsCurrent } from '@tandem/storage/postgres';
import type { Pool } from 'pg';

const PROBE_INTERVAL_MS = 1_000;
const PROBE_TIMEOUT_MS = 5_000;

/** What was last seen of PostgreSQL. */
export type DatabaseState =
  | { readonly usable: true }
  /** `why` is a sentence; `since` an ISO instant. */
  | { readonly usable: false; readonly why: string; readonly since: string };

/**
 * Looks at PostgreSQL now and then, off every request's path, and says once when it goes and when it
 * is back.
 */
export class DatabaseProbe {
  readonly #pool: Pool;
  readonly #log: Log;
  #state: DatabaseState = {
    usable: false,
    why: 'PostgreSQL was not asked yet.',
    since: new Date().toISOString(),
  };
  #asked = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(pool: Pool, log: Log) {
    this.#pool = pool;
    this.#log = log;
  }

  get state(): DatabaseState {
    return this.#state;
  }

  /** Asks once; never throws. */
  async ask(): Promise<DatabaseState> {
    const why = await this.#problem();
    const before = this.#asked ? this.#state.usable : undefined;
    this.#asked = true;
    if (why === undefined) {
      this.#state = { usable: true };
      if (before === false) this.#log.info({}, 'PostgreSQL can be used again.');
    } else {
      const since = this.#state.usable ? new Date().toISOString() : this.#state.since;
      this.#state = { usable: false, why, since };
      if (before !== false) this.#log.warn({ since }, `PostgreSQL can't be used: ${why}`);
    }
    return this.#state;
  }

  watch(): void {
    const again = async (): Promise<void> => {
      await this.ask();
      if (this.#timer !== undefined) this.#timer = setTimeout(again, PROBE_INTERVAL_MS).unref();
    };
    this.#timer = setTimeout(again, PROBE_INTERVAL_MS).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #problem(): Promise<string | undefined> {
    const timeout = new Promise<string>((settle) => {
      const timer = setTimeout(settle, PROBE_TIMEOUT_MS, 'It does not answer.');
      timer.unref();
    });
    const asked = schemaIsCurrent(this.#pool).then(
      (current) => (current ? undefined : 'Its schema is not current: run "tandem migrate".'),
      (error: unknown) => sentenceOf(error),
    );
    return Promise.race([asked, timeout]);
  }
}
