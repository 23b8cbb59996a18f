import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterEach, expect, test } from 'vitest';
import {
  type EmbeddedServer,
  type EmbeddedServerOptions,
  embeddedUrl,
  startEmbeddedPostgres,
} from './index.ts';

const home = mkdtempSync(join(tmpdir(), 'tandem-embedded-'));
const folder = join(home, 'postgres');
const running: EmbeddedServer[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
  rmSync(home, { recursive: true, force: true });
});

async function start(
  options: Pick<EmbeddedServerOptions, 'stopTimeoutMs'> = {},
): Promise<EmbeddedServer> {
  const server = await startEmbeddedPostgres({ folder, settings: { fsync: 'off' }, ...options });
  running.push(server);
  return server;
}

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows[0]?.[0];
  } finally {
    await client.end();
  }
}

test('a cluster is made once, keeps its data over a stop, and replaces a leftover server', async () => {
  const first = await start();
  expect(embeddedUrl(folder)).toBe(first.url);
  await ask(first.url, 'CREATE TABLE kept AS SELECT 7 AS n');
  await first.stop();
  await first.stop();

  const second = await start();
  expect(await ask(second.url, 'SELECT n FROM kept')).toBe(7);

  // Started again on the same folder while it runs, as after a killed parent.
  const third = await start();
  expect(await second.ended).toMatch(/PostgreSQL ended/);
  expect(await ask(third.url, 'SELECT n FROM kept')).toBe(7);
});

test('a server killed with all its processes can be started again', async () => {
  const first = await start();
  await ask(first.url, 'CREATE TABLE also_kept AS SELECT 8 AS n');
  process.kill(first.pid, 'SIGKILL');
  // As long as nobody reaps it, or its number is taken again, the old process id still exists.
  const pidFile = join(folder, 'postmaster.pid');
  writeFileSync(pidFile, readFileSync(pidFile, 'utf8').replace(/^\d+/, String(process.ppid)));
  const second = await start();
  expect(await ask(second.url, 'SELECT n FROM also_kept')).toBe(8);
});

test('a server that hangs is killed past its deadline, leaves nothing behind, and recovers', async () => {
  const first = await start({ stopTimeoutMs: 500 });
  await ask(first.url, 'CREATE TABLE kept_too AS SELECT 9 AS n');
  process.kill(first.pid, 'SIGSTOP');
  await expect(first.stop()).rejects.toThrow('was killed; its next start recovers');
  await first.stop();
  const second = await start();
  expect(await ask(second.url, 'SELECT n FROM kept_too')).toBe(9);
});
