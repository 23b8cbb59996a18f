import type { KeyItem } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import { RangeDigester } from '../range-digest.ts';
import {
  assertFewIds,
  type IdHighWater,
  type Page,
  type PagePosition,
  RANGE_IDS,
  type RangeDigest,
  type ScanEntry,
  type StoredRecord,
  type StoreReads,
} from '../store.ts';
import type { Memory } from './memory.ts';
import { scanEntry, storedRecord } from './record-table.ts';
import { SHORT_SLICE_MS, TimeSlice } from './time-slice.ts';

/** Texts in one chunk of a list. */
const LIST_CHUNK_RECORDS = 512;

/** The reading half of the contract over what is in memory: the store's, and a snapshot's. */
export abstract class MemoryReads implements StoreReads {
  readonly name = 'json';

  /** What is read, and the present as milliseconds since 1970. */
  protected abstract reading(): { readonly memory: Memory; readonly now: number };

  async get(collection: Collection, id: number): Promise<StoredRecord | undefined> {
    const entry = this.#table(collection).get(id);
    return entry === undefined || entry.text === null ? undefined : storedRecord(entry);
  }

  async page(
    collection: Collection,
    { limit, after }: { readonly limit: number; readonly after?: PagePosition },
  ): Promise<Page> {
    return this.#table(collection).page(limit, after);
  }

  async *list(collection: Collection): AsyncIterable<readonly string[]> {
    yield* this.#table(collection).list(LIST_CHUNK_RECORDS);
  }

  async scan(
    collection: Collection,
    afterId: number,
    limit: number,
  ): Promise<readonly ScanEntry[]> {
    return this.#table(collection).scan(afterId, limit);
  }

  async digests(collection: Collection, from: number, to: number): Promise<readonly RangeDigest[]> {
    const digester = new RangeDigester();
    // Requests go on meanwhile; what they change is looked at again by whoever compares.
    const slice = new TimeSlice(SHORT_SLICE_MS);
    for (let range = from; range < to; range++) {
      const end = (range + 1) * RANGE_IDS;
      for (const entry of this.#table(collection).scan(range * RANGE_IDS - 1, RANGE_IDS)) {
        if (entry.id >= end) break;
        digester.add(entry);
        if (slice.isOver()) await slice.next();
      }
    }
    return digester.digests();
  }

  async count(collection: Collection): Promise<number> {
    return this.#table(collection).size;
  }

  async entries(collection: Collection, ids: readonly number[]): Promise<readonly ScanEntry[]> {
    assertFewIds(ids);
    const table = this.#table(collection);
    const found: ScanEntry[] = [];
    for (const id of [...new Set(ids)].sort((a, b) => a - b)) {
      const entry = table.get(id);
      if (entry !== undefined) found.push(scanEntry(entry));
    }
    return found;
  }

  async scanKeys(afterKey: string, limit: number): Promise<readonly KeyItem[]> {
    const { memory, now } = this.reading();
    return memory.keys.scan(afterKey, limit, now);
  }

  async keys(keys: readonly string[]): Promise<readonly KeyItem[]> {
    const { memory, now } = this.reading();
    return [...new Set(keys)].flatMap((key) => memory.keys.get(key, now) ?? []);
  }

  async *keysSince(since: string): AsyncIterable<readonly KeyItem[]> {
    const { memory, now } = this.reading();
    yield* memory.keys.since(Date.parse(since), now);
  }

  async idHighWater(): Promise<IdHighWater> {
    return this.reading().memory.highWater();
  }

  #table({ name }: Collection) {
    return this.reading().memory.table(name);
  }
}
