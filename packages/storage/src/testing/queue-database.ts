import { silentLog } from '../log.ts';
import { createQueueClient, migrateQueues, type QueueClient } from '../replication/index.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';

export interface QueueDatabase extends TestDatabase {
  readonly queues: QueueClient;
}

/** A fresh database with the schema and the queues, and a client of them. */
export async function createQueueDatabase(): Promise<QueueDatabase> {
  const database = await createTestDatabase();
  await migrateQueues(database.pool, silentLog);
  const queues = createQueueClient({ pool: database.pool, role: 'work', log: silentLog });
  return {
    ...database,
    queues,
    async drop() {
      await queues.stop();
      await database.drop();
    },
  };
}
