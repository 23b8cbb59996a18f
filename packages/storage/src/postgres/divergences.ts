import { createHash } from 'node:crypto';
import type { PoolClient } from 'pg';
import type { Change } from '../changes/index.ts';
import type { ScanEntry } from '../store.ts';
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

/** Keeps both sides for a decision (I4). A change that is delivered again is listed once. */
export async function recordDivergences(
  client: PoolClient,
  divergences: readonly Divergence[],
  now: Date,
): Promise<void> {
  for (const { class: kind, change, stored } of divergences) {
    await rows(
      client,
      `INSERT INTO divergences
         (collection, record_id, class, epoch, version, digest, incoming, stored, first_seen)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
       ON CONFLICT ON CONSTRAINT divergences_once DO NOTHING`,
      [
        ...[change.collection, change.id, kind, change.epoch, change.version, digestOf(change)],
        ...[JSON.stringify(change), JSON.stringify(stored), now.toISOString()],
      ],
    );
  }
}
