import type { PoolClient } from 'pg';

/**
 * Port: up to which outbox `seq` of a JSON store the queue has its items. It lives in PostgreSQL
 * beside the jobs and moves in their transaction, so a crash anywhere neither loses an item nor
 * queues one twice. Implemented in `postgres/`.
 */
export interface RelayCursor {
  /** Reads the cursor of a pair and locks it until the transaction ends; 0 for a new pair. */
  lock(client: PoolClient, pairId: string): Promise<number>;
  /** Moves it. The caller holds the lock. */
  advance(client: PoolClient, pairId: string, seq: number): Promise<void>;
}
