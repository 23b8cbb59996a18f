import type { PoolClient } from 'pg';
import type { Item } from '../changes/index.ts';

/** The two queues, one a direction. */
export const QUEUES = { postgres: 'write-to-postgres', json: 'write-to-json' } as const;

/**
 * Port of the PostgreSQL store's outbox: inserts secondary-write jobs through the connection of the
 * transaction that stores their changes (I2). Implemented in `replication/` over pg-boss.
 */
export interface JobSink {
  insert(client: PoolClient, items: readonly Item[]): Promise<void>;
}
