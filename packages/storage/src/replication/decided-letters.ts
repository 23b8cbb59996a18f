import type { Pool } from 'pg';
import type { StoreName } from '../phase/index.ts';
import { QUEUE_SCHEMA } from './boss.ts';
import { CAUSE } from './dead-letter-filter.ts';
import { QUEUES } from './job-sink.ts';
import { deadLetterQueueOf } from './queues.ts';

/**
 * Removes the dead letters that are sides of a disagreement about records which an operator has decided:
 * the ledger keeps what they carried.
 * @param direction the secondary
 */
export async function dropDecidedLetters(
  pool: Pick<Pool, 'query'>,
  direction: StoreName,
  collection: string,
  ids: readonly number[],
): Promise<void> {
  if (ids.length === 0) return;
  await pool.query(
    `DELETE FROM ${QUEUE_SCHEMA}.job
     WHERE name = $1 AND state < 'completed' AND ${CAUSE} IN ('conflict', 'fork')
       AND data #>> '{change,collection}' = $2 AND data #>> '{change,id}' = ANY ($3::text[])`,
    [deadLetterQueueOf(QUEUES[direction]), collection, ids.map(String)],
  );
}
