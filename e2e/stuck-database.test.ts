import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import { newDatabase } from './database.ts';
import { call, query } from './record-client.ts';
import { environmentWith, startProcess, startTandem, temporaryFolder } from './tandem-process.ts';

const RECORD = { date: '2025-12-07', category: 'Groceries', amount: 1, account: 'Cash' };

/** A session of somebody else that lets nobody write expenses until it is ended. */
async function lockOn(url: string): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  let ended: Promise<void> | undefined;
  const end = () => {
    ended ??= client.end();
    return ended;
  };
  onTestFinished(end);
  await client.query('BEGIN; LOCK TABLE expenses IN SHARE ROW EXCLUSIVE MODE');
  return end;
}

test('I5: a start whose way to PostgreSQL is stuck serves from JSON, says so, and catches up', async () => {
  const dataDir = temporaryFolder();
  const url = await newDatabase();
  const variables = { DATA_DIR: dataDir, DATABASE_URL: url };
  const migrate = [process.execPath, 'apps/cli/src/main.ts', 'migrate'] as const;
  expect(await startProcess(migrate, environmentWith(variables)).ended).toBe(0);
  mkdirSync(join(dataDir, 'json'));
  writeFileSync(join(dataDir, 'json', 'expenses.json'), JSON.stringify([{ id: 1, ...RECORD }]));
  const unlock = await lockOn(url);

  const tandem = startTandem({
    ...variables,
    ...{ FF_DUAL_WRITE_ENABLED: 'true', FF_USE_DATABASE_STORAGE: 'true' },
  });
  const origin = await tandem.ready();
  await tandem.prints(/going on without PostgreSQL: .*lock timeout/);
  expect((await call(origin, 'POST', '/api/v1/expense', RECORD)).status).toBe(200);
  expect((await call(origin, 'GET', '/readyz')).body).toMatchObject({
    ready: true,
    phase: {
      desired: 'postgres-primary',
      effective: 'json-primary',
      waitingFor: expect.any(String),
    },
  });
  await unlock();
  await vi.waitUntil(async () => (await query(url, 'SELECT id FROM expenses')).length === 2, {
    timeout: 30_000,
    interval: 100,
  });
  expect(await tandem.interrupt()).toBe(0);
}, 90_000);
