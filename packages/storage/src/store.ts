import type { Item, KeyItem, Outcome, Stamp, Verdict, Write } from './changes/index.ts';
import type { Collection } from './collections/index.ts';

/** A live record as a store holds it. `text` is its canonical text. */
export interface StoredRecord extends Stamp {
  readonly id: number;
  readonly text: string;
}

/** A record or a tombstone (`text` is `null`), as a scan for comparison gives it. */
export interface ScanEntry extends Stamp {
  readonly id: number;
  readonly text: string | null;
}

/** Where a page ended: the order is newest date first, then highest id. A mapping error whose date
 *  is none has the empty date, which sorts last. */
export interface PagePosition {
  readonly date: string;
  readonly id: number;
}

export interface Page {
  readonly records: readonly StoredRecord[];
  /** Where the next page starts after; absent on the last page. */
  readonly next?: PagePosition;
}

/** What became of one applied item. */
export type ApplyResult =
  | { readonly verdict: Verdict; readonly stored?: ScanEntry }
  /** The item can't be stored as it is (a mapping error, a violated constraint). */
  | { readonly verdict: 'rejected'; readonly error: string; readonly permanent: boolean };

/** The highest id that a record can have: PostgreSQL's `integer`. */
export const ID_MAX = 2_147_483_647;

/** Highest id ever given, by collection name. */
export type IdHighWater = Readonly<Record<string, number>>;

/** Ids of one range that digests are made of: range `n` has those from `n * RANGE_IDS` on. A trigger in
 *  `migrations/` counts in it, too. */
export const RANGE_IDS = 1_024;

/** A digest of the records and tombstones of a range (`range-digest.ts`): equal content, equal digest. */
export interface RangeDigest {
  readonly range: number;
  readonly count: number;
  readonly digest: string;
}

/** Ids in one `entries` call, at most. */
export const ENTRIES_IDS_MAX = 10_000;

/**
 * The reading half of the contract. Reads see only durable states. Every method may throw a
 * `TandemError`: `unavailable` (try again), `storage-failed`.
 */
export interface StoreReads {
  readonly name: 'json' | 'postgres';

  /** The record, or `undefined` when there is none (or only a tombstone). */
  get(collection: Collection, id: number): Promise<StoredRecord | undefined>;

  /** One page in list order, at a cost independent of the collection's size. */
  page(
    collection: Collection,
    options: { readonly limit: number; readonly after?: PagePosition },
  ): Promise<Page>;

  /** Canonical texts of the whole collection in list order, as of one moment, in chunks. */
  list(collection: Collection): AsyncIterable<readonly string[]>;

  /** Records and tombstones with `id > afterId`, by ascending id, at most `limit`. */
  scan(collection: Collection, afterId: number, limit: number): Promise<readonly ScanEntry[]>;

  /** Digests of the ranges from `from` up to, without, `to`; of those that have anything. */
  digests(collection: Collection, from: number, to: number): Promise<readonly RangeDigest[]>;

  /** How many records and tombstones there are. */
  count(collection: Collection): Promise<number>;

  /** Records and tombstones of these ids, by ascending id, each once; unknown ids are left out. At
   *  most {@link ENTRIES_IDS_MAX} ids. */
  entries(collection: Collection, ids: readonly number[]): Promise<readonly ScanEntry[]>;

  /** Idempotency keys with `key > afterKey`, ascending by UTF-8 bytes, at most `limit`. */
  scanKeys(afterKey: string, limit: number): Promise<readonly KeyItem[]>;

  /** Those of some idempotency keys that are known, in no particular order. */
  keys(keys: readonly string[]): Promise<readonly KeyItem[]>;

  /** Idempotency keys given at this ISO instant or later, in chunks, in no particular order. */
  keysSince(since: string): AsyncIterable<readonly KeyItem[]>;

  /** Highest id ever given, of every collection (I9). */
  idHighWater(): Promise<IdHighWater>;
}

/**
 * The one contract of both stores; `testing/store-contract.ts` is its suite.
 *
 * Every method may throw a `TandemError`: `unavailable` (try again), `storage-full`,
 * `storage-failed`.
 */
export interface Store extends StoreReads {
  /**
   * Writes as the primary: durable, with its changes in the outbox where the phase asks for it, when
   * the promise resolves (I1, I2). A write under a known idempotency key has no effect and resolves
   * with the first outcome (I10).
   *
   * @throws {TandemError} `not-primary` when this store is sealed or secondary (I3); `key-reused`; `invalid`
   *   when {@link ID_MAX} was given;
   *   `outcome-unknown` when the connection was cut during COMMIT; `storage-full`; `storage-failed`
   */
  write(write: Write): Promise<Outcome>;

  /** Applies items as the secondary, through the version guard (I4): durable when it resolves. One
   *  result an item, in order. A fork or conflict changes nothing; the caller keeps it. */
  apply(items: readonly Item[]): Promise<readonly ApplyResult[]>;

  /** Raises the high-water, to {@link ID_MAX} at most; never lowers it. Durable when it resolves. */
  raiseIdHighWater(marks: IdHighWater): Promise<void>;

  /** Flushes and closes. A JSON store checkpoints first. Idempotent. */
  close(): Promise<void>;
}

/** @throws {Error} when a caller asks `entries` for more ids than one call may have */
export function assertFewIds(ids: readonly number[]): void {
  if (ids.length > ENTRIES_IDS_MAX) throw new Error(`${ids.length} ids are too many for one read.`);
}

/** What requests need of a store. */
export type RecordStore = Pick<Store, 'get' | 'page' | 'list' | 'write'>;
