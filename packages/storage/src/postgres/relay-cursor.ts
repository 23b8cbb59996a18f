import type { Pool, PoolClient } from 'pg';
import type { RelayCursor } from '../replication/relay-cursor.ts';
import { storageError } from './failure.ts';
import { rows } from './transaction.ts';

/** The relay's cursor in `relay_cursor`, moved in the transaction that inserts the jobs it counts. */
export const relayCursor: RelayCursor = {
  async lock(client, pairId) {
    const known = await lockRow(client, pairId);
    if (known !== undefined) return known;
    await rows(
      client,
      'INSERT INTO relay_cursor (pair_id, seq) VALUES ($1, 0) ON CONFLICT (pair_id) DO NOTHING',
      [pairId],
    );
    return (await lockRow(client, pairId)) as number;
  },

  async advance(client, pairId, seq, { session, batch }) {
    await rows(
      client,
      'UPDATE relay_cursor SET seq = $2, session = $3, batch = $4 WHERE pair_id = $1',
      [pairId, seq, session, batch],
    );
  },
};

async function lockRow(client: PoolClient, pairId: string): Promise<number | undefined> {
  const [row] = await rows(client, 'SELECT seq FROM relay_cursor WHERE pair_id = $1 FOR UPDATE', [
    pairId,
  ]);
  return row?.[0] as number | undefined;
}

/**
 * Up to which outbox item of a JSON store the queue has everything; 0 before the first. A plain read,
 * which waits for no relay.
 * @throws {TandemError} `unavailable`, `storage-failed`
 */
export async function readRelayedSeq(pool: Pool, pairId: string): Promise<number> {
  try {
    const [row] = await rows(pool, 'SELECT seq FROM relay_cursor WHERE pair_id = $1', [pairId]);
    return (row?.[0] as number | undefined) ?? 0;
  } catch (error) {
    throw storageError(error);
  }
}
