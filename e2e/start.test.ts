import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { embeddedUrl } from '@tandem/embedded-postgres';
import { expect, test, vi } from 'vitest';
import { newDatabase } from './database.ts';
import { GUIDE } from './guide.ts';
import { descendants } from './processes.ts';
import { call, EXPENSE_ROWS, legacyFile, query } from './record-client.ts';
import { startTandem, temporaryFolder } from './tandem-process.ts';

const WAIT = { timeout: 20_000, interval: 50 };

test('one command: the guide’s request is answered, and after Ctrl-C both stores have it', async () => {
  const dataDir = temporaryFolder();
  const tandem = startTandem({ DATA_DIR: dataDir });
  const origin = await tandem.ready();
  const created = await call(origin, 'POST', '/api/v1/expense', GUIDE);
  const expense = { ...GUIDE, business: null, id: 1 };
  expect(created).toEqual({ status: 200, body: { status: 'created', expense } });
  expect((await call(origin, 'GET', '/api/v1/expense')).body).toEqual([expense]);
  await tandem.prints('Dual-write: Created expense 1 in database');
  expect(await query(embeddedUrl(join(dataDir, 'postgres')) as string, EXPENSE_ROWS)).toEqual([
    expense,
  ]);
  expect(await tandem.interrupt()).toBe(0);
  expect(legacyFile(join(dataDir, 'json'), 'expenses.json')).toEqual([expense]);
  expect(tandem.output()).toContain('Everything is stopped.');
});

test('Ctrl-C while the first start makes its database stops cleanly, and the next start goes on', async () => {
  const dataDir = temporaryFolder();
  const tandem = startTandem({ DATA_DIR: dataDir });
  // The second of the cluster's three databases is being made.
  const making = join(dataDir, 'postgres.new', 'base', '4');
  await vi.waitUntil(() => existsSync(making), { ...WAIT, interval: 5 });
  expect(await tandem.interrupt()).toBe(0);
  expect(tandem.output()).not.toMatch(/failed|FATAL/);
  const next = startTandem({ DATA_DIR: dataDir });
  await next.ready();
  expect(await next.interrupt()).toBe(0);
});

test.for([
  ['json-primary', 'false'],
  ['postgres-primary', 'true'],
] as const)(
  'I7: Ctrl-C in the middle of writes leaves both stores equal in %s',
  async ([phase, useDatabase]) => {
    const dataDir = temporaryFolder();
    const database = await newDatabase();
    const tandem = startTandem({
      DATA_DIR: dataDir,
      DATABASE_URL: database,
      FF_USE_DATABASE_STORAGE: useDatabase,
      FF_DUAL_WRITE_ENABLED: 'true',
    });
    const origin = await tandem.ready();
    const acknowledged = new Map<number, unknown>();
    let stopping = false;
    const write = async (writer: number) => {
      for (let n = 0; !stopping; n += 1) {
        const body = { ...GUIDE, notes: `${writer}-${n}` };
        const answer = await call(origin, 'POST', '/api/v1/expense', body).catch(() => undefined);
        if (answer?.status !== 200) continue;
        const { expense } = answer.body as { expense: { id: number } };
        acknowledged.set(expense.id, expense);
      }
    };
    const writers = Array.from({ length: 8 }, (_, writer) => write(writer));
    await vi.waitUntil(() => acknowledged.size >= 200, WAIT);
    const status = tandem.interrupt();
    await tandem.prints('Stopping');
    stopping = true;
    await Promise.all(writers);
    expect(await status).toBe(0);

    const file = legacyFile(join(dataDir, 'json'), 'expenses.json');
    const rows = await query(database, EXPENSE_ROWS);
    expect(rows).toEqual(file);
    const stored = new Map(file.map((expense) => [expense.id, expense]));
    for (const [id, expense] of acknowledged) expect(stored.get(id)).toEqual(expense);
    expect((await query(database, 'SELECT phase FROM phase_state'))[0]).toEqual({ phase });
  },
);

test('I7: a stop while the worker waits to be started again says what is left, and writes the files', async () => {
  const dataDir = temporaryFolder();
  const tandem = startTandem({
    DATA_DIR: dataDir,
    DATABASE_URL: await newDatabase(),
    FF_USE_DATABASE_STORAGE: 'true',
    FF_DUAL_WRITE_ENABLED: 'true',
  });
  const origin = await tandem.ready();
  const post = () => call(origin, 'POST', '/api/v1/expense', GUIDE);
  expect((await post()).status).toBe(200);
  await tandem.prints('Dual-write: Created expense 1 in JSON');
  const [worker] = descendants(tandem.pid, 'apps/worker/src/main.ts');
  process.kill(worker as number, 'SIGSTOP');
  expect((await post()).status).toBe(200);
  process.kill(worker as number, 'SIGKILL');
  await tandem.prints(/The worker ended by SIGKILL; it is started again in/);
  expect(await tandem.interrupt()).toBe(0);
  expect(tandem.output()).toMatch(
    /The worker was not running when it was to stop: 1 change waits in the queue/,
  );
  expect(legacyFile(join(dataDir, 'json'), 'expenses.json')).toHaveLength(1);
});
