import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedPostgres } from './server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Admin URL of the run's PostgreSQL; each test file makes databases of its own on it. */
    postgresUrl: string;
  }
}

/**
 * vitest global setup: one real PostgreSQL for the whole run. `TANDEM_TEST_PG_BIN` names the programs
 * of another version. `fsync` is off: no test pulls the plug of this server's machine, and a killed
 * server loses nothing that the operating system has.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = mkdtempSync(join(tmpdir(), 'tandem-test-pg-'));
  const binaries = process.env.TANDEM_TEST_PG_BIN;
  const server = await startEmbeddedPostgres({
    folder: join(home, 'postgres'),
    ...(binaries === undefined ? {} : { binaries }),
    settings: { fsync: 'off', max_connections: '300', shared_buffers: '64MB' },
  });
  project.provide('postgresUrl', server.url);
  return async () => {
    await server.stop();
    rmSync(home, { recursive: true, force: true });
  };
}
