import { sentenceOf } from '@tandem/storage/errors';
import type { JsonStore } from '@tandem/storage/json';
import { mend, primaryOf } from '@tandem/storage/phase';
import type { JsonSession } from './json-session.ts';

/** Writes wait this long for the answer to a commit that was cut off, then are told so. */
const PATIENCE_MS = 10_000;

/** Whether PostgreSQL alone knows who is the primary. */
export function awaitsAnswer(json: JsonStore): boolean {
  const { phase, committing } = json.phase.read();
  return primaryOf(phase) === 'json' && committing !== null;
}

/** Asks PostgreSQL what became of a commit, until it says so. */
export class UnansweredCommit {
  /** The one that is asked after, and since when; it may get its answer elsewhere, as from the relay. */
  #asked: { readonly attempt: string | undefined; readonly sinceMs: number } | undefined;

  /**
   * @param tooLong told with each further failure once writes have waited for long enough
   * @throws what asking throws
   */
  async ask(session: JsonSession, tooLong: (sentence: string) => Promise<void>): Promise<void> {
    const attempt = session.json.phase.read().committing?.attempt;
    if (this.#asked?.attempt !== attempt) this.#asked = undefined;
    this.#asked ??= { attempt, sinceMs: performance.now() };
    const { sinceMs } = this.#asked;
    try {
      await mend(session.context('a commit without an answer'), false);
    } catch (error) {
      const forMs = performance.now() - sinceMs;
      if (forMs > PATIENCE_MS && awaitsAnswer(session.json)) await tooLong(sentenceOf(error));
      throw error;
    }
  }
}
