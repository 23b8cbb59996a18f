import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newDatabase } from './database.ts';
import { GUIDE } from './guide.ts';
import { call, legacyFile } from './record-client.ts';
import { startTandem, temporaryFolder } from './tandem-process.ts';

async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((settle) => server.once('listening', settle));
  const { port } = server.address() as { port: number };
  await new Promise((settle) => server.close(settle));
  return port;
}

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
