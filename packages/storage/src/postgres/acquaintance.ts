import type { Pool } from 'pg';
import type { Acquaintance, JsonPosition } from '../phase/index.ts';
import { storageError } from './failure.ts';
import { rows } from './transaction.ts';

// What makes a database itself, and not a copy of it: the cluster's identifier (a restored dump has
// another), the timeline (a recovery to a point in time begins one), the database and its schema (a
// dump restored beside or over the old one). Within these the durable WAL only grows.
const HERE = `
  SELECT concat_ws('/', system.system_identifier, left(pg_walfile_name(wal.flushed), 8),
                   (SELECT oid FROM pg_database WHERE datname = current_database()),
                   'phase_state'::regclass::oid),
         pg_wal_lsn_diff(wal.flushed, '0/0')::bigint
  FROM pg_control_system() AS system, (SELECT pg_current_wal_flush_lsn() AS flushed) AS wal`;

const SEEN = 'SELECT session, batch FROM relay_cursor WHERE pair_id = $1 AND session IS NOT NULL';

/**
 * Where this database is, and how far it has seen the JSON store of a pair.
 * @throws {TandemError} `unavailable`, `storage-failed`
 */
export async function readAcquaintance(pool: Pool, pairId: string): Promise<Acquaintance> {
  try {
    const [here] = (await rows(pool, HERE)) as [[string, number]];
    const [seen] = (await rows(pool, SEEN, [pairId])) as [[string, number]?];
    return {
      here: { identity: here[0], walBytes: here[1] },
      seenJson: seen === undefined ? null : { session: seen[0], batch: seen[1] },
    };
  } catch (error) {
    throw storageError(error);
  }
}

/** Remembers how far the JSON store of a pair was seen. */
export async function noteJson(pool: Pool, pairId: string, seen: JsonPosition): Promise<void> {
  try {
    await rows(
      pool,
      `INSERT INTO relay_cursor (pair_id, seq, session, batch) VALUES ($1, 0, $2, $3)
       ON CONFLICT (pair_id) DO UPDATE SET session = excluded.session, batch = excluded.batch`,
      [pairId, seen.session, seen.batch],
    );
  } catch (error) {
    throw storageError(error);
  }
}
