import { join } from 'node:path';
import { startEmbeddedPostgres } from '@tandem/embedded-postgres';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startLoad } from './load.ts';
import { EXPENSE_ROWS, legacyFile, query } from './record-client.ts';
import { startTandem, temporaryFolder } from './tandem-process.ts';

const WAIT = { timeout: 60_000, interval: 100 };
const WRITERS = 8;

test('I5: PostgreSQL stopped in a stream of writes fails none, and has them all after its return', async () => {
  const home = temporaryFolder();
  const folder = join(home, 'postgres');
  const settings = { fsync: 'off' };
  let server = await startEmbeddedPostgres({ folder, settings });
  onTestFinished(() => server.stop());
  const dataDir = join(home, 'data');
  const tandem = startTandem({
    DATA_DIR: dataDir,
    DATABASE_URL: server.url,
    FF_DUAL_WRITE_ENABLED: 'true',
  });
  const origin = await tandem.ready();
  const load = startLoad(origin, WRITERS);
  await vi.waitUntil(() => load.acknowledged.size > 200, WAIT);
  await server.stop();
  const atOutage = load.acknowledged.size;
  await vi.waitUntil(() => load.acknowledged.size > atOutage + 500, WAIT);
  await tandem.prints(/Relay: PostgreSQL can't take changes since/);
  const readiness = await fetch(`${origin}/readyz`);
  expect(readiness.status).toBe(200);
  expect(await readiness.json()).toMatchObject({ ready: true, status: 'degraded' });

  const { port } = server;
  server = await startEmbeddedPostgres({ folder, settings });
  expect(server.port).toBe(port);
  await tandem.prints(/Relay: PostgreSQL takes changes again/);
  await load.stop();
  expect(Object.fromEntries(load.refused)).toEqual({});
  expect(await tandem.interrupt()).toBe(0);

  const file = legacyFile(join(dataDir, 'json'), 'expenses.json');
  expect(await query(server.url, EXPENSE_ROWS)).toEqual(file);
  const stored = new Map(file.map((expense) => [expense.id, expense]));
  for (const [id, expense] of load.acknowledged) {
    expect(stored.get(id) ?? null).toEqual(expense);
  }
  expect(await query(server.url, `SELECT * FROM pgboss.job WHERE name LIKE '%-dead'`)).toEqual([]);
}, 120_000);
