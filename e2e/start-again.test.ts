import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { GUIDE } from './guide.ts';
import { call, legacyFile } from './record-client.ts';
import { startTandem, temporaryFolder } from './tandem-process.ts';

const WAIT = { timeout: 20_000, interval: 50 };

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
