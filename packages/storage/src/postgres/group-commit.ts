//   submit ──> waiting ──(batch)──> run ──> settled
//                 ^                  │ up to `concurrency` at once, a further one only once it
//                 └── gathers while ─┘ is as large as the last, or that one takes long
import { TandemError } from '../errors.ts';

export interface GroupCommitOptions<T, R> {
  /** Commits a batch; one result an item, in order. It may also throw: then all of them failed. */
  run(batch: readonly T[]): Promise<readonly PromiseSettledResult<R>[]>;
  /** About how many bytes an item brings. */
  bytesOf(item: T): number;
  /** Batches under way at once. */
  readonly concurrency: number;
  readonly batchItemsMax: number;
  readonly batchBytesMax: number;
  /** Items waiting; one more is refused. */
  readonly waitingMax: number;
}

/** Items that are too few for a batch beside the one under way wait no longer for more of them, in ms: that
 *  one may be waiting for somebody's lock. */
const GATHER_MAX_MS = 20;

interface Waiting<T, R> {
  readonly item: T;
  readonly resolve: (result: R) => void;
  readonly reject: (error: unknown) => void;
}

/** Gathers items that arrive while others are being committed, and commits them together. */
export class GroupCommit<T, R> {
  readonly #options: GroupCommitOptions<T, R>;
  #waiting: Waiting<T, R>[] = [];
  #running = 0;
  #scheduled = false;
  #closed = false;
  /** So many waiting items are worth a batch beside those under way. */
  #worthwhile = 1;
  #gathering: NodeJS.Timeout | undefined;
  readonly #idle: (() => void)[] = [];

  constructor(options: GroupCommitOptions<T, R>) {
    this.#options = options;
  }

  /**
   * Resolves when the item's batch is committed.
   * @throws {TandemError} `overloaded` when too many wait, `unavailable` after `close`
   */
  submit(item: T): Promise<R> {
    if (this.#closed) {
      return Promise.reject(new TandemError('unavailable', 'The store is closed.'));
    }
    if (this.#waiting.length >= this.#options.waitingMax) {
      return Promise.reject(new TandemError('overloaded', 'Too many writes wait for PostgreSQL.'));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#schedule();
    });
  }

  /** Takes nothing more, and resolves when everything submitted is settled. */
  close(): Promise<void> {
    this.#closed = true;
    return new Promise((resolve) => {
      this.#idle.push(resolve);
      this.#wakeIfIdle();
    });
  }

  /** At the end of the event loop's turn: requests that arrived together travel together. */
  #schedule(): void {
    if (this.#scheduled || this.#running >= this.#options.concurrency) return;
    if (!this.#isWorthwhile()) {
      this.#gathering ??= setTimeout(() => {
        this.#gathering = undefined;
        this.#worthwhile = 1;
        if (this.#waiting.length > 0) this.#schedule();
      }, GATHER_MAX_MS);
      return;
    }
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#waiting.length === 0 || this.#running >= this.#options.concurrency) return;
      clearTimeout(this.#gathering);
      this.#gathering = undefined;
      const batch = this.#nextBatch();
      // What a bound has left waits for no more.
      this.#worthwhile = this.#waiting.length > 0 ? 1 : batch.length;
      void this.#commit(batch);
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  /** A transaction costs more than the writes in it: two small ones at once are slower than one. */
  #isWorthwhile(): boolean {
    return this.#running === 0 || this.#waiting.length >= this.#worthwhile;
  }

  #nextBatch(): Waiting<T, R>[] {
    const { batchItemsMax, batchBytesMax, bytesOf } = this.#options;
    let count = 0;
    let bytes = 0;
    while (count < Math.min(this.#waiting.length, batchItemsMax)) {
      bytes += bytesOf((this.#waiting[count] as Waiting<T, R>).item);
      if (count > 0 && bytes > batchBytesMax) break;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #commit(batch: readonly Waiting<T, R>[]): Promise<void> {
    this.#running += 1;
    try {
      const results = await this.#options.run(batch.map(({ item }) => item));
      if (results.length !== batch.length) throw new Error('A batch gave results of other length.');
      for (const [index, { resolve, reject }] of batch.entries()) {
        const result = results[index] as PromiseSettledResult<R>;
        if (result.status === 'fulfilled') resolve(result.value);
        else reject(result.reason);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.#running -= 1;
      if (this.#waiting.length > 0) this.#schedule();
      this.#wakeIfIdle();
    }
  }

  #wakeIfIdle(): void {
    if (this.#running > 0 || this.#waiting.length > 0) return;
    for (const wake of this.#idle.splice(0)) wake();
  }
}
