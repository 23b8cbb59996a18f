import type { Pool, PoolClient } from 'pg';
import type { KeyItem } from '../changes/index.ts';
import { isoInstant } from './phase-row.ts';
import { type Row, rows } from './transaction.ts';

/** A key and its answer are kept this long; I10 promises half of it. */
const KEY_LIFE_MS = 48 * 60 * 60_000;
/** Keys of one chunk. */
const SINCE_KEYS_MAX = 1_000;
/** Expired keys removed at once. */
const EXPIRED_BATCH_MAX = 1_000;

const expiryOf = (now: Date): string => new Date(now.getTime() - KEY_LIFE_MS).toISOString();

/** What is known of a key: that it is ours to fill, or what it stands for. */
export interface KnownKey {
  readonly fingerprint: string;
  /** JSON text of the outcome; `undefined` while it is ours to fill. */
  outcome: string | undefined;
}

const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

/**
 * Claims keys before anything is planned: inserts each with an empty outcome, unless it is there.
 * A key that another transaction just claimed is waited for, and then read (I10: of two processes
 * with the same key at once, one has an effect). Sorted, so that no two wait for each other.
 *
 * @param wanted key to fingerprint
 */
export async function claimKeys(
  client: PoolClient,
  wanted: ReadonlyMap<string, string>,
  now: Date,
): Promise<ReadonlyMap<string, KnownKey>> {
  const known = new Map<string, KnownKey>();
  if (wanted.size === 0) return known;
  const keys = [...wanted.keys()].sort(bytewise);
  const claimed = await rows(
    client,
    `INSERT INTO idempotency_keys AS k (key, fingerprint, outcome, at)
     SELECT key, fingerprint, '', $3 FROM unnest($1::text[], $2::text[]) WITH ORDINALITY
       AS given(key, fingerprint, place) ORDER BY place
     ON CONFLICT (key) DO UPDATE
       SET fingerprint = excluded.fingerprint, outcome = '', at = excluded.at WHERE k.at < $4
     RETURNING key`,
    [keys, keys.map((key) => wanted.get(key)), now.toISOString(), expiryOf(now)],
  );
  for (const [key] of claimed as [string][]) {
    known.set(key, { fingerprint: wanted.get(key) as string, outcome: undefined });
  }
  const others = keys.filter((key) => !known.has(key));
  if (others.length === 0) return known;
  const found = await rows(
    client,
    'SELECT key, fingerprint, outcome FROM idempotency_keys WHERE key = ANY($1)',
    [others],
  );
  for (const [key, fingerprint, outcome] of found as [string, string, string][]) {
    known.set(key, { fingerprint, outcome });
  }
  return known;
}

/** Gives claimed keys their outcomes. */
export async function fillKeys(client: PoolClient, items: readonly KeyItem[]): Promise<void> {
  if (items.length === 0) return;
  await rows(
    client,
    `UPDATE idempotency_keys AS k SET outcome = given.outcome
     FROM unnest($1::text[], $2::text[]) AS given(key, outcome) WHERE k.key = given.key`,
    [items.map(({ key }) => key), items.map(({ outcome }) => outcome)],
  );
}

/** Stores keys of the other store where there are none. Gives those that were not there. */
export async function applyKeys(
  client: PoolClient,
  items: readonly KeyItem[],
  now: Date,
): Promise<ReadonlySet<string>> {
  const first = new Map<string, KeyItem>();
  for (const item of items) if (!first.has(item.key)) first.set(item.key, item);
  if (first.size === 0) return new Set();
  const sorted = [...first.values()].sort((a, b) => bytewise(a.key, b.key));
  const stored = await rows(
    client,
    `INSERT INTO idempotency_keys AS k (key, fingerprint, outcome, at)
     SELECT key, fingerprint, outcome, at
     FROM json_to_recordset($1::json)
       AS given(key text, fingerprint text, outcome text, at timestamptz, place integer)
     ORDER BY place
     ON CONFLICT (key) DO UPDATE
       SET fingerprint = excluded.fingerprint, outcome = excluded.outcome, at = excluded.at
       WHERE k.at < $2
     RETURNING key`,
    [JSON.stringify(sorted.map((item, place) => ({ ...item, place }))), expiryOf(now)],
  );
  return new Set((stored as [string][]).map(([key]) => key));
}

/** Keys above one, in the order of their bytes. */
export async function scanKeys(
  pool: Pool,
  afterKey: string,
  limit: number,
  now: Date,
): Promise<readonly KeyItem[]> {
  const found = await rows(
    pool,
    `SELECT key, fingerprint, outcome, ${isoInstant('at')} FROM idempotency_keys
     WHERE key > $1 AND at >= $3 ORDER BY key LIMIT $2`,
    [afterKey, limit, expiryOf(now)],
  );
  return found.map(itemOf);
}

function itemOf(row: Row): KeyItem {
  const [key, fingerprint, outcome, at] = row as readonly string[];
  return { key, fingerprint, outcome, at } as KeyItem;
}

/** Those of some keys that are known. */
export async function readKeys(
  pool: Pool,
  keys: readonly string[],
  now: Date,
): Promise<readonly KeyItem[]> {
  const found = await rows(
    pool,
    `SELECT key, fingerprint, outcome, ${isoInstant('at')} FROM idempotency_keys
     WHERE key = ANY ($1) AND at >= $2`,
    [keys, expiryOf(now)],
  );
  return found.map(itemOf);
}

/** Keys given at an instant or later, a chunk at a time, found by the index on `at`. */
export async function* keysSince(
  pool: Pool,
  since: string,
  now: Date,
): AsyncGenerator<readonly KeyItem[]> {
  // Instants have more digits than a text of milliseconds: the cursor keeps the server's own.
  let [at, after] = [since < expiryOf(now) ? expiryOf(now) : since, ''];
  for (;;) {
    const found = await rows(
      pool,
      `SELECT key, fingerprint, outcome, ${isoInstant('at')}, at FROM idempotency_keys
       WHERE (at, key) > ($1, $2) ORDER BY at, key LIMIT $3`,
      [at, after, SINCE_KEYS_MAX],
    );
    if (found.length > 0) yield found.map(itemOf);
    const last = found.at(-1);
    if (last === undefined || found.length < SINCE_KEYS_MAX) return;
    [after, at] = [last[0] as string, last[4] as string];
  }
}

/** Removes some of the keys that have expired. */
export async function removeExpiredKeys(pool: Pool, now: Date): Promise<void> {
  await rows(
    pool,
    `DELETE FROM idempotency_keys WHERE key IN (
       SELECT key FROM idempotency_keys WHERE at < $1 LIMIT $2 FOR UPDATE SKIP LOCKED)`,
    [expiryOf(now), EXPIRED_BATCH_MAX],
  );
}
