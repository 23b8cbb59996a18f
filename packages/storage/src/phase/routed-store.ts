//            serve(store)                 hold('writes' | 'all')
//   away ─────────────────▶ open ─────────────────────────▶ held
//    ▲  refuse(sentence)      ▲                               │
//    └────────────────────────┴──────── serve(store) ◀────────┘
//    serveReads(store, sentence): open to reads; writes are told the sentence at once
//
// While it is held, requests wait in memory; a store that refuses as "not primary" wrote nothing and told
// nothing, so its request waits for the next store too.
import type { Outcome, Write } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import { isTandemError, TandemError } from '../errors.ts';
import type { Page, PagePosition, RecordStore, Store, StoredRecord } from '../store.ts';

/** How long a request waits for the end of a switch; longer than a switch may take. */
const HOLD_TIMEOUT_MS = 15_000;
/** Requests waiting at once. */
const HELD_REQUESTS_MAX = 10_000;

type Holding = 'nothing' | 'writes' | 'all';

type Standing =
  | { readonly store: Store; readonly holding: Holding; readonly noWrites?: string }
  | { readonly store: undefined; readonly sentence: string };

export interface RoutedStoreOptions {
  readonly holdTimeoutMs?: number;
  /** A store refused a request as "not primary": the phase has moved, or is about to. */
  readonly onNotPrimary?: () => void;
}

/**
 * The store that requests see: whichever is primary now. A switch changes what is behind it while
 * requests wait, so that none of them sees an error.
 */
export class RoutedStore implements RecordStore {
  #standing: Standing = { store: undefined, sentence: 'The service is starting.' };
  /** Called once at the next change of the standing. */
  #waiting: (() => void)[] = [];
  readonly #options: RoutedStoreOptions;

  constructor(options: RoutedStoreOptions = {}) {
    this.#options = options;
  }

  /** Requests waiting now. */
  get waiting(): number {
    return this.#waiting.length;
  }

  get #holdTimeoutMs(): number {
    return this.#options.holdTimeoutMs ?? HOLD_TIMEOUT_MS;
  }

  /** The store behind it, or `undefined` with the reason while nothing is served. */
  get standing(): Readonly<Standing> {
    return this.#standing;
  }

  /** Whether writes are taken, now or at the end of a switch. */
  get takesWrites(): boolean {
    return this.#standing.store !== undefined && this.#standing.noWrites === undefined;
  }

  serve(store: Store): void {
    this.#become({ store, holding: 'nothing' });
  }

  /** Serves reads alone, for as long as it takes: writes are not made to wait for the end of it. */
  serveReads(store: Store, sentence: string): void {
    this.#become({ store, holding: 'nothing', noWrites: sentence });
  }

  refuse(sentence: string): void {
    this.#become({ store: undefined, sentence });
  }

  /** Makes new writes (or reads, too) wait until `serve` or `refuse`. */
  hold(what: 'writes' | 'all'): void {
    const { store } = this.#standing;
    if (store !== undefined) this.#become({ store, holding: what });
  }

  get(collection: Collection, id: number): Promise<StoredRecord | undefined> {
    const store = this.#openNow('reads');
    // A read of the JSON store is never refused: whoever has it holds its lock.
    if (store?.name === 'json') return store.get(collection, id);
    return this.#served('reads', (opened) => opened.get(collection, id));
  }

  async page(
    collection: Collection,
    options: { readonly limit: number; readonly after?: PagePosition },
  ): Promise<Page> {
    return this.#served('reads', (store) => store.page(collection, options));
  }

  async *list(collection: Collection): AsyncIterable<readonly string[]> {
    // Refused or not is told by the first chunk.
    const { chunks, first } = await this.#served('reads', async (store) => {
      const begun = store.list(collection)[Symbol.asyncIterator]();
      return { chunks: begun, first: await begun.next() };
    });
    try {
      for (let next = first; next.done !== true; next = await chunks.next()) yield next.value;
    } finally {
      await chunks.return?.();
    }
  }

  /** @throws {TandemError} as the store, and `unavailable` when no primary came in time */
  async write(write: Write): Promise<Outcome> {
    return this.#served('writes', (store) => store.write(write));
  }

  /** What a store does that lets itself be asked; one that refuses is followed by the next. */
  async #served<T>(what: 'reads' | 'writes', act: (store: Store) => Promise<T>): Promise<T> {
    let deadlineMs: number | undefined;
    // Counted from when it first has to wait: a long list may have been served for minutes.
    const byMs = () => {
      deadlineMs ??= performance.now() + this.#holdTimeoutMs;
      return deadlineMs;
    };
    for (;;) {
      const before = this.#standing;
      const store = this.#openNow(what) ?? (await this.#open(what, byMs()));
      try {
        return await act(store);
      } catch (error) {
        // Refused by the store itself (I3, I6): sealed, or moved on, or not told yet. Nothing was done.
        if (!isTandemError(error, 'not-primary')) throw error;
        this.#options.onNotPrimary?.();
        if (this.#standing === before) await this.#changed(byMs(), error.message);
      }
    }
  }

  #become(standing: Standing): void {
    this.#standing = standing;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** The store, if nobody has to wait for it: no request pays for a wait that is rarely needed. */
  #openNow(what: 'reads' | 'writes'): Store | undefined {
    const standing = this.#standing;
    if (standing.store === undefined || standing.holding === 'all') return undefined;
    if (what === 'reads') return standing.store;
    const isOpen = standing.holding === 'nothing' && standing.noWrites === undefined;
    return isOpen ? standing.store : undefined;
  }

  async #open(what: 'reads' | 'writes', deadlineMs: number): Promise<Store> {
    for (;;) {
      const standing = this.#standing;
      if (standing.store === undefined) throw new TandemError('unavailable', standing.sentence);
      if (what === 'writes' && standing.noWrites !== undefined) {
        throw new TandemError('unavailable', standing.noWrites);
      }
      const held =
        standing.holding === 'all' || (standing.holding === 'writes' && what === 'writes');
      if (!held) return standing.store;
      await this.#changed(deadlineMs, 'The primary is being switched.');
    }
  }

  /** Resolves at the next change of the standing. */
  #changed(deadlineMs: number, sentence: string): Promise<void> {
    if (this.#waiting.length >= HELD_REQUESTS_MAX) {
      return Promise.reject(
        new TandemError('overloaded', `More than ${HELD_REQUESTS_MAX} requests wait for a switch.`),
      );
    }
    return new Promise((settle, fail) => {
      const wake = () => {
        clearTimeout(timer);
        settle();
      };
      const timer = setTimeout(
        () => {
          this.#waiting = this.#waiting.filter((waiting) => waiting !== wake);
          fail(new TandemError('unavailable', sentence));
        },
        Math.max(0, deadlineMs - performance.now()),
      );
      this.#waiting.push(wake);
    });
  }
}
