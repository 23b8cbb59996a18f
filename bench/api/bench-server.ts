import { join } from 'node:path';
import { startEmbeddedPostgres } from '@tandem/embedded-postgres';
import pg from 'pg';

/** One PostgreSQL with settings of its own for everything that is compared; a database for each. */
export interface BenchServer {
  /** Makes an empty database; its `postgres://…`. */
  database(name: string): Promise<string>;
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
      const client = new pg.Client({ connectionString: server.url });
      await client.connect();
      try {
        await client.query(`CREATE DATABASE ${client.escapeIdentifier(name)}`);
      } finally {
        await client.end();
      }
      const url = new URL(server.url);
      url.pathname = `/${name}`;
      return url.href;
    },
    stop: () => server.stop(),
  };
}
