import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { silentLog } from '../log.ts';
import { createQueueClient, migrateQueues, type QueueClient } from '../replication/index.ts';

export interface QueueDatabase {
  readonly url: string;
  readonly pool: pg.Pool;
  readonly queues: QueueClient;
  drop(): Promise<void>;
}

/** A fresh database that holds the queues and nothing else. */
export async function createQueueDatabase(): Promise<QueueDatabase> {
  const name = `queue_${randomUUID().replaceAll('-', '')}`;
  const adminUrl = inject('postgresUrl');
  await admin(adminUrl, `CREATE DATABASE ${name}`);
  const url = Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href;
  const pool = new pg.Pool({ connectionString: url, max: 5 });
  pool.on('error', () => {});
  await migrateQueues(pool, silentLog);
  const queues = createQueueClient({ pool, role: 'work', log: silentLog });
  return {
    url,
    pool,
    queues,
    async drop() {
      await queues.stop();
      await pool.end();
      await admin(adminUrl, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

async function admin(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
