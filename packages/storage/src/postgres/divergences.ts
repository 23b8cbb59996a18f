import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { Change } from '../changes/index.ts';
import type { ScanEntry } from '../store.ts';
import { storageError } from './failure.ts';
import { rows } from './transaction.ts';

/** A change that was kept out, and the state that it met. */
export interface Divergence {
  readonly class: 'fork' | 'conflict';
  readonly change: Change;
  readonly stored: ScanEntry;
}

const digestOf = ({ record }: Change): string =>
  createHash('sha256')
    .update(record ?? '')
    .digest('hex');

const kindOf = ({ change, stored }: Divergence): 'missing' | 'extra' | 'different' => {
  if ((change.record === null) === (stored.text === null)) return 'different';
  return change.record === null ? 'extra' : 'missing';
};

/**
 * Keeps both sides for a decision (I4). A change that is delivered again is listed once.
 * @param into the store that applied
 */
export async function recordDivergences(
  client: Pick<PoolClient, 'query'>,
  divergences: readonly Divergence[],
  into: 'json' | 'postgres',
  now: Date,
): Promise<void> {
  for (const divergence of divergences) {
    const { class: name, change, stored } = divergence;
    await rows(
      client,
      `INSERT INTO divergences
         (subject, collection, record_id, class, kind, found_by, secondary,
          primary_epoch, primary_version, primary_text,
          secondary_epoch, secondary_version, secondary_text,
          incoming, digest, first_seen, last_seen)
       VALUES ($1, $2, $3, $4, $5, 'apply', $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15)
       ON CONFLICT (collection, record_id, primary_epoch, primary_version, digest)
         WHERE found_by = 'apply'
       DO UPDATE SET last_seen = excluded.last_seen WHERE divergences.resolved_at IS NULL`,
      [
        ...[`${change.collection} ${change.id}`, change.collection, change.id, name],
        ...[kindOf(divergence), into, change.epoch, change.version, change.record],
        ...[stored.epoch, stored.version, stored.text],
        ...[JSON.stringify(change), digestOf(change), now.toISOString()],
      ],
    );
  }
}

/**
 * Keeps what the JSON store met while it applied.
 * @throws {TandemError} `unavailable`, `storage-failed`
 */
export const keepJsonDisagreements =
  (pool: Pool) =>
  async (found: readonly Divergence[]): Promise<void> => {
    try {
      await recordDivergences(pool, found, 'json', new Date());
    } catch (error) {
      throw storageError(error);
    }
  };
