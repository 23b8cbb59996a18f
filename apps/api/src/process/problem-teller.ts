import type { Log } from '@tandem/storage/log';

/** Between two problems that are logged. */
const SAY_INTERVAL_MS = 2_000;

/** Says a problem once, until there is another or none. */
export class ProblemTeller {
  readonly #log: Log;
  #last: string | undefined;
  #sayAgainAtMs = 0;

  constructor(log: Log) {
    this.#log = log;
  }

  say(problem: string): void {
    // Several sentences of one outage may take turns at each look.
    if (problem === this.#last || performance.now() < this.#sayAgainAtMs) return;
    this.#log.warn({ problem }, `Phase: ${problem}`);
    this.#last = problem;
    this.#sayAgainAtMs = performance.now() + SAY_INTERVAL_MS;
  }

  /** There is none. */
  clear(): void {
    this.#last = undefined;
  }
}
