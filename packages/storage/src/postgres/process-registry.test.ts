import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { hostname } from 'node:os';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../log.ts';
import { type ProcessFacts, type ProcessKind, resolveFlags } from '../phase/index.ts';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { recordingLog } from '../testing/recording-log.ts';
import { until } from '../testing/until.ts';
import { createPool, liveProcesses, ProcessRegistry } from './index.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query('DELETE FROM processes');
});

const { flags, desired } = resolveFlags({}, { read: true, rows: {} }, null);
const FACTS: ProcessFacts = {
  ...{
    effective: null,
    epoch: null,
    desired,
    flags,
    ready: false,
    waitingFor: null,
    catchUp: null,
    work: null,
  },
};

function registry(kind: ProcessKind): ProcessRegistry {
  const made = new ProcessRegistry({ pool: database.pool, kind, log: silentLog });
  onTestFinished(() => made.stop());
  return made;
}

test('a process is live from its first beat to its stop, with what it says', async () => {
  const worker = registry('worker');
  const api = registry('api');
  await worker.beat(FACTS);
  await api.beat(FACTS);
  await api.beat({
    ...{ ...FACTS, effective: 'json-primary', epoch: 7, ready: true },
    waitingFor: 'PostgreSQL to be reachable.',
  });
  const live = await api.live();
  expect(live).toEqual(await liveProcesses(database.pool));
  expect(live).toMatchObject([
    {
      ...{ id: api.id, kind: 'api', pid: process.pid, host: hostname(), flags, desired },
      ...{ effective: 'json-primary', epoch: 7, ready: true },
      waitingFor: 'PostgreSQL to be reachable.',
    },
    { id: worker.id, kind: 'worker', effective: null, epoch: null, ready: false },
  ]);
  for (const { startedAt, seenAt } of live) {
    expect(new Date(startedAt).toISOString()).toBe(startedAt);
    expect(new Date(seenAt).toISOString()).toBe(seenAt);
  }
  await api.stop();
  await api.stop();
  expect((await worker.live()).map(({ kind }) => kind)).toEqual(['worker']);
});

test('it beats by itself, with what is true then, also out of turn', async () => {
  const api = registry('api');
  let epoch = 1;
  api.start(() => ({ ...FACTS, epoch }));
  const seen = async () => (await liveProcesses(database.pool))[0];
  await until('the first beat', async () => (await seen())?.epoch === 1);
  epoch = 2;
  await until('the next beat', async () => (await seen())?.epoch === 2);
  epoch = 3;
  await until('the beat out of turn', async () => {
    api.beatNow();
    return (await seen())?.epoch === 3;
  });
});

test('a process that was not heard of for 15 s is not live, and is forgotten after a day', async () => {
  const silent = registry('worker');
  await silent.beat(FACTS);
  const age = (interval: string) =>
    database.pool.query(
      `UPDATE processes SET seen_at = now() - $2::interval, host = 'elsewhere' WHERE id = $1`,
      [silent.id, interval],
    );
  await age('14 s');
  expect(await liveProcesses(database.pool)).toHaveLength(1);
  await age('16 s');
  expect(await liveProcesses(database.pool)).toEqual([]);
  await age('25 h');
  await registry('api').beat(FACTS);
  const { rows } = await database.pool.query('SELECT kind FROM processes');
  expect(rows).toEqual([{ kind: 'api' }]);
});

test('the next process of a host removes those that were killed there, and nobody else', async () => {
  const killed = spawn(process.execPath, ['-e', '']);
  await once(killed, 'exit');
  const living = registry('worker');
  await living.beat(FACTS);
  const other = (host: string, pid: number | undefined) =>
    database.pool.query(
      `INSERT INTO processes SELECT gen_random_uuid(), 'api', $2, $1, started_at, seen_at,
         effective, epoch, desired, flags, ready, waiting_for FROM processes WHERE id = $3`,
      [host, pid, living.id],
    );
  await other(hostname(), killed.pid);
  await other('elsewhere', killed.pid);
  expect((await living.others()).map(({ host }) => host)).toEqual(['elsewhere']);
  await registry('api').beat(FACTS);
  const hosts = (await liveProcesses(database.pool)).map(({ kind, host }) => `${kind} ${host}`);
  expect(hosts.sort()).toEqual(
    [`api ${hostname()}`, 'api elsewhere', `worker ${hostname()}`].sort(),
  );
});

test('I5: without PostgreSQL a process runs on unheard of, and stops', async () => {
  const pool = createPool('postgres://somebody@127.0.0.1:1/nowhere', { applicationName: 'test' });
  const log = recordingLog();
  const api = new ProcessRegistry({ pool, kind: 'api', log });
  api.start(() => FACTS);
  await until('it was tried', () => log.sentences('debug').length > 0);
  await expect(api.live()).rejects.toMatchObject({ code: 'unavailable' });
  await api.stop();
  await pool.end();
  expect(log.sentences('warn')).toEqual([]);
});
