import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { embeddedUrl } from '@tandem/embedded-postgres';
import { expect, test, vi } from 'vitest';
import { newDatabase } from './database.ts';
import { descendants } from './processes.ts';
import { call, EXPENSE_ROWS, legacyFile, query } from './record-client.ts';
import { startTandem, temporaryFolder } from './tandem-process.ts';

const WAIT = { timeout: 20_000, interval: 50 };

/** The request of the transition guide. */
const GUIDE = {
  date: '2025-12-07',
  category: 'Groceries',
  amount: 150.5,
  account: 'Cash',
  currency: '₪',
  notes: 'Weekly shopping',
};

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((settle) => server.once('listening', settle));
  const { port } = server.address() as { port: number };
  await new Promise((settle) => server.close(settle));
  return port;
}

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

test('I5: an unreachable server in a JSON phase is a warning, and the API serves', async () => {
  const dataDir = temporaryFolder();
  const tandem = startTandem({
    DATA_DIR: dataDir,
    DATABASE_URL: `postgres://nobody:secret@127.0.0.1:${await closedPort()}/none`,
    FF_DUAL_WRITE_ENABLED: 'true',
  });
  const origin = await tandem.ready();
  expect(tandem.output()).toMatch(/WARN.*The database can't be migrated now/);
  expect((await call(origin, 'POST', '/api/v1/expense', GUIDE)).status).toBe(200);
  expect(await tandem.interrupt()).toBe(0);
  expect(legacyFile(join(dataDir, 'json'), 'expenses.json')).toHaveLength(1);
  expect(tandem.output()).not.toContain('secret');
});

test('I6: an unreachable server in a PostgreSQL phase ends the start with one sentence', async () => {
  const tandem = startTandem({
    DATA_DIR: temporaryFolder(),
    DATABASE_URL: `postgres://nobody:secret@127.0.0.1:${await closedPort()}/none`,
    FF_USE_DATABASE_STORAGE: 'true',
  });
  expect(await tandem.ended).toBe(75);
  expect(tandem.errors().trim().split('\n').at(-1)).toMatch(/PostgreSQL/);
  expect(tandem.output()).not.toContain('secret');
});

test.for([
  ['DATABASE_URL', 'mysql://somewhere', /^DATABASE_URL is not of the form/],
  ['FF_USE_DATABASE_STORAGE', 'maybe', /^FF_USE_DATABASE_STORAGE is "maybe"; it must be/],
  ['PORT', '80x', /^PORT is "80x"; it must be a port/],
  ['HOST', '0.0.0.0', /^HOST is "0\.0\.0\.0", which other machines can reach; /],
] as const)('a malformed %s is refused in one sentence', async ([variable, value, sentence]) => {
  const tandem = startTandem({ DATA_DIR: temporaryFolder(), [variable]: value });
  expect(await tandem.ended).toBe(78);
  expect(tandem.output().trim()).toMatch(sentence);
  expect(tandem.output().trim()).not.toContain('\n');
});

test('a taken port is refused in one sentence', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await new Promise((settle) => holder.once('listening', settle));
  const { port } = holder.address() as { port: number };
  const tandem = startTandem({ DATA_DIR: temporaryFolder(), PORT: String(port) });
  expect(await tandem.ended).toBe(78);
  expect(tandem.output().trim()).toBe(`Port ${port} (PORT) is already in use on 127.0.0.1.`);
  await new Promise((settle) => holder.close(settle));
});

test('a data folder in use is refused in one sentence that names its holder', async () => {
  const dataDir = temporaryFolder();
  const variables = { DATA_DIR: dataDir, DATABASE_URL: await newDatabase() };
  const first = startTandem(variables);
  await first.ready();
  const second = startTandem(variables);
  expect(await second.ended).toBe(78);
  expect(second.output().trim()).toBe(
    `The data folder ${dataDir} (DATA_DIR) is in use by process ${first.pid}; stop that one first, or choose another folder.`,
  );
  expect(await first.interrupt()).toBe(0);
});

test('I1: api, worker and PostgreSQL are started again after kill -9, and lose nothing', async () => {
  const dataDir = temporaryFolder();
  const tandem = startTandem({ DATA_DIR: dataDir });
  const origin = await tandem.ready();
  const held = JSON.parse(readFileSync(join(dataDir, '.lock'), 'utf8'));
  const pids: number[] = held.services.map(({ pid }: { pid: number }) => pid);
  const [postmaster = ''] = readFileSync(join(dataDir, 'postgres/postmaster.pid'), 'utf8').split(
    '\n',
  );
  let written = 0;
  for (const pid of [...pids, Number(postmaster)]) {
    process.kill(pid, 'SIGKILL');
    await vi.waitUntil(async () => {
      const answer = await call(origin, 'POST', '/api/v1/expense', GUIDE).catch(() => undefined);
      if (answer?.status === 200) written += 1;
      return answer?.status === 200;
    }, WAIT);
  }
  await tandem.prints(`Dual-write: Created expense ${written} in database`);
  expect(await tandem.interrupt()).toBe(0);
  expect(legacyFile(join(dataDir, 'json'), 'expenses.json')).toHaveLength(written);
});

test('api and PostgreSQL killed at once in a PostgreSQL phase both come back', async () => {
  const dataDir = temporaryFolder();
  const tandem = startTandem({ DATA_DIR: dataDir, FF_USE_DATABASE_STORAGE: 'true' });
  const origin = await tandem.ready();
  const held = JSON.parse(readFileSync(join(dataDir, '.lock'), 'utf8'));
  const api = held.services.find(({ name }: { name: string }) => name === 'api').pid;
  const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
  const [postmaster = ''] = readFileSync(pidFile, 'utf8').split('\n');
  process.kill(Number(postmaster), 'SIGKILL');
  process.kill(api, 'SIGKILL');
  await vi.waitUntil(async () => {
    const answer = await call(origin, 'POST', '/api/v1/expense', GUIDE).catch(() => undefined);
    return answer?.status === 200;
  }, WAIT);
  expect(await tandem.interrupt()).toBe(0);
});

test('a killed launcher leaves no service behind, and the next start goes on', async () => {
  const variables = { DATA_DIR: temporaryFolder() };
  const first = startTandem(variables);
  await call(await first.ready(), 'POST', '/api/v1/expense', GUIDE);
  process.kill(first.pid, 'SIGKILL');
  const second = startTandem(variables);
  const origin = await second.ready();
  expect((await call(origin, 'GET', '/api/v1/expense')).body).toHaveLength(1);
  expect(await second.interrupt()).toBe(0);
});
