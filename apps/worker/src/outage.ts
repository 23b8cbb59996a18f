import { sentenceOf } from '@tandem/storage/errors';
import type { Log } from '@tandem/storage/log';

/** Says once that something can't be done and once that it can again; what lies between is debug. */
export class Outage {
  readonly #log: Log;
  readonly #what: string;
  #current: { readonly since: string; readonly because: string } | undefined;

  /** @param what names the thing in a sentence, e.g. `PostgreSQL` */
  constructor(log: Log, what: string) {
    this.#log = log;
    this.#what = what;
  }

  get current(): { readonly since: string; readonly because: string } | undefined {
    return this.#current;
  }

  began(error: unknown): void {
    const because = sentenceOf(error);
    if (this.#current?.because === because) return;
    const since = this.#current?.since ?? new Date().toISOString();
    const level = this.#current === undefined ? 'warn' : 'info';
    this.#current = { since, because };
    this.#log[level]({ since, error: because }, `${this.#what} can't be used: ${because}`);
  }

  ended(): void {
    if (this.#current === undefined) return;
    const { since } = this.#current;
    this.#current = undefined;
    this.#log.info({ since }, `${this.#what} can be used again, it could not since ${since}`);
  }
}
