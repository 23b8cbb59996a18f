import type { Log } from '@tandem/storage/log';
import type { Phase } from '@tandem/storage/phase';

/** Why the effective phase is not the desired one, in one sentence, for whoever asks this process. */
export class WaitingFor {
  readonly #log: Log;
  readonly #onChange: () => void;
  #sentence: string | null = null;

  /** @param onChange told of each other sentence: others shall not read the old one until the next beat */
  constructor(log: Log, onChange: () => void) {
    this.#log = log;
    this.#onChange = onChange;
  }

  /** `null` when nothing is waited for, or it is not known. */
  get sentence(): string | null {
    return this.#sentence;
  }

  set sentence(sentence: string | null) {
    if (sentence === this.#sentence) return;
    this.#sentence = sentence;
    this.#onChange();
  }

  /** A step was not taken; logged once for each reason. */
  refused(from: Phase, to: Phase, waitingFor: string): void {
    if (this.#sentence !== waitingFor) {
      const sentence = `Staying in ${from}, not ${to}: ${waitingFor}`;
      this.#log.warn({ from, to, waitingFor }, sentence);
    }
    this.sentence = waitingFor;
  }
}
