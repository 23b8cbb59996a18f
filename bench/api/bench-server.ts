import { join } from 'node:path';
import { startEmbeddedPostgres } from '@tandem/embedded-postgres';
import pg from 'pg';

/** One PostgreSQL with settings of its own for everything that is compared; a database for each. */
export interface BenchServer {
  /** Makes an empty database; its `postgres://…`. */
  database(name: string): Promise<string>;
  /** Writes out what it has in memory: a checkpoint of its own would go on for minutes, on everybody's disk. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

/** Several services with a pool each share it. */
const CONNECTIONS_MAX = 300;

export async function startBenchServer(folder: string): Promise<BenchServer> {
  const server = await startEmbeddedPostgres({
    folder: join(folder, 'postgres'),
    settings: { max_connections: String(CONNECTIONS_MAX) },
  });
  return {
    async database(name) {
      await query(server.url, `CREATE DATABASE ${pg.escapeIdentifier(name)}`);
      const url = new URL(server.url);
      url.pathname = `/${name}`;
      return url.href;
    },
    flush: () => query(server.url, 'CHECKPOINT'),
    stop: () => server.stop(),
  };
}

async function query(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
