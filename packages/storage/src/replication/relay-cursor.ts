import type { PoolClient } from 'pg';
import type { JsonPosition } from '../phase/index.ts';

/**
 * Port: up to which outbox `seq` of a JSON store the queue has its items. It lives in PostgreSQL
 * beside the jobs and moves in their transaction, so a crash anywhere neither loses an item nor
 * queues one twice. Implemented in `postgres/`.
 */
export interface RelayCursor {
  /** Reads the cursor of a pair and locks it until the transaction ends; 0 for a new pair. */
  lock(client: PoolClient, pairId: string): Promise<number>;
  /** Moves it, and notes how far the JSON store was then (I12). The caller holds the lock. */
  advance(client: PoolClient, pairId: string, seq: number, seen: JsonPosition): Promise<void>;
}
