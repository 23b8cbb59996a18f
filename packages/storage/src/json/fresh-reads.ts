import type { StoreReads } from '../store.ts';
import type { JsonSnapshot } from './json-snapshot.ts';

/** The reads that compare stores, each over what the holder has written up to its call. */
export function freshReads(snapshot: JsonSnapshot): StoreReads {
  const fresh = async <T>(read: () => Promise<T>): Promise<T> => {
    await snapshot.refresh();
    return read();
  };
  return {
    name: 'json',
    get: (collection, id) => fresh(() => snapshot.get(collection, id)),
    page: (collection, options) => fresh(() => snapshot.page(collection, options)),
    async *list(collection) {
      await snapshot.refresh();
      yield* snapshot.list(collection);
    },
    scan: (collection, after, limit) => fresh(() => snapshot.scan(collection, after, limit)),
    digests: (collection, from, to) => fresh(() => snapshot.digests(collection, from, to)),
    entries: (collection, ids) => fresh(() => snapshot.entries(collection, ids)),
    count: (collection) => fresh(() => snapshot.count(collection)),
    scanKeys: (after, limit) => fresh(() => snapshot.scanKeys(after, limit)),
    keys: (keys) => fresh(() => snapshot.keys(keys)),
    async *keysSince(since) {
      await snapshot.refresh();
      yield* snapshot.keysSince(since);
    },
    idHighWater: () => fresh(() => snapshot.idHighWater()),
  };
}
