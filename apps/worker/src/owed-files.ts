import { isTandemError } from '@tandem/storage/errors';
import { inspectJsonStore, type JsonStore } from '@tandem/storage/json';

/**
 * The files of a JSON store that was let go of without a checkpoint, for an api process to take: until
 * somebody has had it, a stop of this process owes them (I7).
 */
export class OwedFiles {
  readonly #directory: string;
  /** The opening that was left like this. */
  #opening: string | undefined;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** The store is about to be closed without a checkpoint. */
  owe(store: JsonStore): void {
    this.#opening = store.phase.read().lineage?.at(-1)?.id;
  }

  /** The store is held again. */
  forget(): void {
    this.#opening = undefined;
  }

  /**
   * @returns the store, whose closing writes the files; `undefined` when nothing is owed: somebody has had
   *   it since, and what stands there now is theirs, or of those who came after them
   * @throws {TandemError} whatever opening refuses, but that somebody holds it
   */
  async reopen(open: () => Promise<JsonStore>): Promise<JsonStore | undefined> {
    const owed = this.#opening;
    this.#opening = undefined;
    if (owed === undefined) return undefined;
    const { phase } = await inspectJsonStore(this.#directory);
    if (phase?.lineage?.at(-1)?.id !== owed) return undefined;
    try {
      return await open();
    } catch (error) {
      // Whoever took it writes them when it stops.
      if (isTandemError(error, 'lock-held')) return undefined;
      throw error;
    }
  }
}
