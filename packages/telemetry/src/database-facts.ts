import { readTrustFacts, type TrustFacts } from '@tandem/storage/postgres';
import {
  type Backlog,
  type QueueAges,
  readBacklog,
  readQueueAges,
} from '@tandem/storage/replication';
import type { Pool } from 'pg';

/** What only PostgreSQL knows. */
export interface DatabaseFacts {
  readonly backlog: Backlog;
  readonly queueAges: QueueAges;
  readonly trust: TrustFacts;
}

/** Reads it one after the other, over one connection of the pool at a time. */
export async function readDatabaseFacts(pool: Pool): Promise<DatabaseFacts> {
  const backlog = await readBacklog(pool);
  const queueAges = await readQueueAges(pool);
  return { backlog, queueAges, trust: await readTrustFacts(pool) };
}
