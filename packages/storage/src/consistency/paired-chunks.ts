//   source: read n+1 ──┐ while n is merged
//                      ├──> pairs by ascending id, a chunk at a time
//   target: read n+1 ──┘
import type { Collection } from '../collections/index.ts';
import type { ScanEntry, StoreReads } from '../store.ts';
import type { Pair } from './merge-scans.ts';

type Scans = Pick<StoreReads, 'scan'>;

const FIRST_CHUNK_ITEMS = 1_000;
const CHUNK_ITEMS_MAX = 4_000;
/** Text of one chunk, about; large records make chunks of few. */
const CHUNK_CHARACTERS = 2_000_000;

/** One store's entries by ascending id; the next chunk is read while this one is used. */
class Reader {
  readonly #store: Scans;
  readonly #collection: Collection;
  #chunk: readonly ScanEntry[] = [];
  #at = 0;
  /** `undefined` once everything was read. */
  #next: Promise<readonly ScanEntry[]> | undefined;
  #items = FIRST_CHUNK_ITEMS;

  constructor(store: Scans, collection: Collection) {
    this.#store = store;
    this.#collection = collection;
    this.#read(0);
  }

  /** Reads on if everything read so far was taken. */
  async fill(): Promise<void> {
    if (this.#at < this.#chunk.length || this.#next === undefined) return;
    const asked = this.#items;
    this.#chunk = await this.#next;
    this.#at = 0;
    this.#next = undefined;
    const last = this.#chunk.at(-1);
    if (last === undefined || this.#chunk.length < asked) return;
    this.#items = itemsAfter(this.#chunk);
    this.#read(last.id);
  }

  get head(): ScanEntry | undefined {
    return this.#chunk[this.#at];
  }

  /** Whether more may come after what was taken. */
  get isDrained(): boolean {
    return this.#at >= this.#chunk.length && this.#next !== undefined;
  }

  take(): void {
    this.#at += 1;
  }

  #read(after: number): void {
    this.#next = this.#store.scan(this.#collection, after, this.#items);
    // Whoever reads on is told; a run that ends early does not care.
    this.#next.catch(() => undefined);
  }
}

function itemsAfter(chunk: readonly ScanEntry[]): number {
  const characters = chunk.reduce((sum, { text }) => sum + (text?.length ?? 0), 0);
  const mean = Math.max(1, characters / chunk.length);
  return Math.max(1, Math.min(CHUNK_ITEMS_MAX, Math.floor(CHUNK_CHARACTERS / mean)));
}

/** Merge-joins the scans of two stores by id. Holds two chunks of each in memory, whatever the size. */
export async function* pairedChunks(
  source: Scans,
  target: Scans,
  collection: Collection,
): AsyncGenerator<readonly Pair[]> {
  const left = new Reader(source, collection);
  const right = new Reader(target, collection);
  for (;;) {
    await left.fill();
    await right.fill();
    const pairs: Pair[] = [];
    while (!left.isDrained && !right.isDrained) {
      const { head: a } = left;
      const { head: b } = right;
      if (a === undefined && b === undefined) {
        if (pairs.length > 0) yield pairs;
        return;
      }
      const isFromA = b === undefined || (a !== undefined && a.id <= b.id);
      const isFromB = a === undefined || (b !== undefined && b.id <= a.id);
      pairs.push({ source: isFromA ? a : undefined, target: isFromB ? b : undefined });
      if (isFromA) left.take();
      if (isFromB) right.take();
    }
    if (pairs.length > 0) yield pairs;
  }
}
