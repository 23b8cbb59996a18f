import { compareStamps, type KeyItem } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import { TandemError } from '../errors.ts';
import type { ScanEntry, StoreReads } from '../store.ts';
import type { Written } from './written-since.ts';

/** Ids, or keys, of one read. */
const AT_ONCE = 5_000;

/**
 * Compares the heads: of every record and key that was written since the difference, the new primary
 * says what the old one says. Everything else was compared by the difference, both ways.
 * @throws {TandemError} `unavailable`, naming the first that differs; the next attempt brings it over
 */
export async function compareHeads(
  from: StoreReads,
  to: StoreReads,
  collections: readonly Collection[],
  written: Written,
): Promise<void> {
  for (const collection of collections) {
    for (const ids of chunksOf(written.ids.get(collection.name) ?? [])) {
      const ours = await from.entries(collection, ids);
      const theirs = new Map((await to.entries(collection, ids)).map((one) => [one.id, one]));
      const differs = ours.find((entry) => !isSame(entry, theirs.get(entry.id)));
      if (differs !== undefined) throw lacking(`${collection.name} ${differs.id}`, to);
    }
  }
  for (const keys of chunksOf(written.keys)) {
    const ours = await from.keys(keys);
    const theirs = new Map((await to.keys(keys)).map((one) => [one.key, one]));
    const differs = ours.find((item) => !isSameKey(item, theirs.get(item.key)));
    if (differs !== undefined) throw lacking('An idempotency key', to);
  }
}

function* chunksOf<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += AT_ONCE) yield all.slice(at, at + AT_ONCE);
}

const isSame = (ours: ScanEntry, theirs: ScanEntry | undefined): boolean =>
  theirs !== undefined && theirs.text === ours.text && compareStamps(ours, theirs) === 0;

const isSameKey = (ours: KeyItem, theirs: KeyItem | undefined): boolean =>
  theirs?.fingerprint === ours.fingerprint && theirs.outcome === ours.outcome;

const STORES = { json: 'JSON', postgres: 'PostgreSQL' } as const;

const lacking = (what: string, { name }: StoreReads): TandemError =>
  new TandemError(
    'unavailable',
    `${what} is not in ${STORES[name]} as it was written, although everything was carried over.`,
  );
