import { join } from 'node:path';
import { embeddedUrl, sendSignal, startEmbeddedPostgres } from '@tandem/embedded-postgres';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Load, startLoad } from './load.ts';
import { descendants } from './processes.ts';
import { EXPENSE_ROWS, legacyFile, query } from './record-client.ts';
import { startTandem, type Tandem, temporaryFolder } from './tandem-process.ts';

const WAIT = { timeout: 60_000, interval: 100 };
const WRITERS = 8;
const WRITES_BETWEEN = 150;

const VICTIMS = {
  api: 'apps/api/src/server.ts',
  worker: 'apps/worker/src/main.ts',
  postgres: 'bin/postgres -D',
} as const;

async function more(load: Load): Promise<void> {
  const before = load.acknowledged.size;
  await vi.waitUntil(() => load.acknowledged.size >= before + WRITES_BETWEEN, WAIT);
}

/** Kills one of the system's processes and waits until the system has started it anew. */
async function killAndAwaitReturn(tandem: Tandem, text: string): Promise<void> {
  const before = descendants(tandem.pid, text);
  expect(before).not.toEqual([]);
  for (const pid of before) sendSignal(pid, 'SIGKILL');
  await vi.waitUntil(() => {
    const now = descendants(tandem.pid, text);
    return now.length > 0 && now.every((pid) => !before.includes(pid));
  }, WAIT);
}

test.for([
  ['json-primary', 'false'],
  ['postgres-primary', 'true'],
] as const)(
  'I1, I2: kill -9 of api, worker and PostgreSQL under load loses nothing acknowledged in %s',
  { timeout: 180_000 },
  async ([, useDatabase]) => {
    const dataDir = temporaryFolder();
    const variables = {
      DATA_DIR: dataDir,
      FF_USE_DATABASE_STORAGE: useDatabase,
      FF_DUAL_WRITE_ENABLED: 'true',
    };
    let tandem = startTandem(variables);
    let load = startLoad(await tandem.ready(), WRITERS);
    for (const victim of ['worker', 'postgres', 'api'] as const) {
      await more(load);
      await killAndAwaitReturn(tandem, VICTIMS[victim]);
    }
    await more(load);
    // All of it at once, as by a power switch; then a start.
    const everything = descendants(tandem.pid, '');
    for (const pid of [tandem.pid, ...everything]) sendSignal(pid, 'SIGKILL');
    await load.stop();
    await tandem.ended;
    const before = load.acknowledged;

    tandem = startTandem(variables);
    load = startLoad(await tandem.ready(), WRITERS);
    await more(load);
    await load.stop();
    expect(Object.fromEntries(load.refused)).toEqual({});
    expect(await tandem.interrupt()).toBe(0);

    const folder = join(dataDir, 'postgres');
    const server = await startEmbeddedPostgres({ folder });
    onTestFinished(() => server.stop());
    expect(server.url).toBe(embeddedUrl(folder));
    const file = legacyFile(join(dataDir, 'json'), 'expenses.json');
    expect(await query(server.url, EXPENSE_ROWS)).toEqual(file);
    const stored = new Map(file.map((expense) => [expense.id, expense]));
    for (const [id, expense] of [...before, ...load.acknowledged]) {
      expect(stored.get(id) ?? null).toEqual(expense);
    }
    expect(await query(server.url, `SELECT * FROM pgboss.job WHERE name LIKE '%-dead'`)).toEqual(
      [],
    );
  },
);
