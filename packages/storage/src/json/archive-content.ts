import { createHash } from 'node:crypto';
import type { Collection } from '../collections/index.ts';
import { RANGE_IDS, type StoreReads } from '../store.ts';

const KEYS_AT_ONCE = 1_000;
/** Ranges digested at once: a million ids. */
const RANGES_AT_ONCE = 1_000;

/** What a collection holds, for comparing one copy of it with another. */
export interface CollectionContent {
  /** Records and tombstones. */
  readonly entries: number;
  /** Highest id ever given. */
  readonly idHighWater: number;
  /** Hex SHA-256 over the digests of its ranges: ids, stamps and canonical texts. */
  readonly digest: string;
}

/** What a store holds, by collection, and its idempotency keys. */
export interface StoreContent {
  readonly collections: Readonly<Record<string, CollectionContent>>;
  readonly idempotencyKeys: { readonly count: number; readonly digest: string };
}

/** Reads everything a store holds that nobody writes to meanwhile. */
export async function readContent(
  store: StoreReads,
  collections: readonly Collection[],
): Promise<StoreContent> {
  const marks = await store.idHighWater();
  const contents: Record<string, CollectionContent> = {};
  for (const collection of collections) {
    const idHighWater = marks[collection.name] ?? 0;
    const hash = createHash('sha256');
    const ranges = Math.floor(idHighWater / RANGE_IDS) + 1;
    for (let from = 0; from < ranges; from += RANGES_AT_ONCE) {
      const to = Math.min(ranges, from + RANGES_AT_ONCE);
      for (const one of await store.digests(collection, from, to)) {
        hash.update(`${one.range} ${one.count} ${one.digest}\n`);
      }
    }
    const entries = await store.count(collection);
    contents[collection.name] = { entries, idHighWater, digest: hash.digest('hex') };
  }
  return { collections: contents, idempotencyKeys: await readKeys(store) };
}

async function readKeys(store: StoreReads): Promise<StoreContent['idempotencyKeys']> {
  const hash = createHash('sha256');
  let count = 0;
  for (let after = ''; ; ) {
    const keys = await store.scanKeys(after, KEYS_AT_ONCE);
    for (const one of keys) hash.update(`${JSON.stringify(one)}\n`);
    count += keys.length;
    const last = keys.at(-1);
    if (last === undefined) return { count, digest: hash.digest('hex') };
    after = last.key;
  }
}
