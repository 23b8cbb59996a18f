import type { Collection } from '../collections/index.ts';
import type { ScanEntry, StoreReads } from '../store.ts';

/** The two stores' entries of one id; at least one is there. */
export interface Pair {
  readonly source: ScanEntry | undefined;
  readonly target: ScanEntry | undefined;
}

/** Every record and tombstone of a collection by ascending id, `chunkSize` a read. */
async function* entries(
  store: Pick<StoreReads, 'scan'>,
  collection: Collection,
  chunkSize: number,
): AsyncGenerator<ScanEntry, undefined> {
  let after = 0;
  for (;;) {
    const chunk = await store.scan(collection, after, chunkSize);
    yield* chunk;
    const last = chunk.at(-1);
    if (last === undefined || chunk.length < chunkSize) return undefined;
    after = last.id;
  }
}

/** Merge-joins the scans of two stores by id. Holds two chunks in memory, whatever the size. */
export async function* mergeScans(
  source: Pick<StoreReads, 'scan'>,
  target: Pick<StoreReads, 'scan'>,
  collection: Collection,
  chunkSize: number,
): AsyncGenerator<Pair> {
  const left = entries(source, collection, chunkSize);
  const right = entries(target, collection, chunkSize);
  let a = (await left.next()).value;
  let b = (await right.next()).value;
  while (a !== undefined || b !== undefined) {
    const idA = a?.id ?? Number.POSITIVE_INFINITY;
    const idB = b?.id ?? Number.POSITIVE_INFINITY;
    yield { source: idA <= idB ? a : undefined, target: idB <= idA ? b : undefined };
    if (idA <= idB) a = (await left.next()).value;
    if (idB <= idA) b = (await right.next()).value;
  }
}
