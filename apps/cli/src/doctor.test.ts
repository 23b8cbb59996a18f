import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCollections } from '@tandem/storage/collections';
import { openJsonStore } from '@tandem/storage/json';
import { silentLog } from '@tandem/storage/log';
import { migrateQueues } from '@tandem/storage/replication';
import {
  create,
  createEmptyDatabase,
  createTestDatabase,
  type TestDatabase,
} from '@tandem/storage/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from './run.ts';

let dataDir: string;
let database: TestDatabase;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'tandem-doctor-'));
  database = await createTestDatabase();
  await migrateQueues(database.pool, silentLog);
});
afterEach(async () => {
  await database.drop();
  rmSync(dataDir, { recursive: true, force: true });
});

async function doctor(args: readonly string[] = [], variables: Record<string, string> = {}) {
  const data: string[] = [];
  const said: string[] = [];
  const exitCode = await run(
    ['doctor', ...args],
    { DATA_DIR: dataDir, DATABASE_URL: database.url, ...variables },
    { data: (text) => data.push(text), say: (text) => said.push(text) },
  );
  return { exitCode, data: data.join('\n'), said: said.join('\n') };
}

const openStore = async () =>
  openJsonStore({ directory: join(dataDir, 'json'), collections: await loadCollections() });

const DUAL = { FF_USE_DATABASE_STORAGE: 'false', FF_DUAL_WRITE_ENABLED: 'true' };
const PHASE_4 = { FF_USE_DATABASE_STORAGE: 'true', FF_DUAL_WRITE_ENABLED: 'true' };
const PHASE_5 = { FF_USE_DATABASE_STORAGE: 'true', FF_DUAL_WRITE_ENABLED: 'false' };
/** Nothing listens on port 1. */
const UNREACHABLE = { DATABASE_URL: 'postgres://somebody:secret@127.0.0.1:1/nowhere' };

test('before anything ran: a plan, told and not taken; then taken, all the way and back', async () => {
  mkdirSync(join(dataDir, 'json'));
  const legacy = [{ id: 1, date: '2025-12-07', category: 'c', amount: 1.5, account: 'a' }];
  writeFileSync(join(dataDir, 'json', 'expenses.json'), JSON.stringify(legacy));
  const told = await doctor(['--json'], PHASE_5);
  expect(told).toMatchObject({ exitCode: 1, said: '' });
  const steps = JSON.parse(told.data).steps.map(({ name }: { name: string }) => name);
  expect(steps).toEqual(['adopt', 'pair', 'move', 'move', 'move']);
  expect(await doctor(['--json'], PHASE_5)).toEqual(told);

  const applied = await doctor(['--apply'], PHASE_5);
  expect(applied).toMatchObject({ exitCode: 0 });
  expect(applied.data).toContain('The phase is postgres-only, as the flags ask.');
  expect(applied.data).toMatch(/Nothing is to be done\.$/);
  const { rows } = await database.pool.query('SELECT id, amount FROM expenses');
  expect(rows).toEqual([{ id: 1, amount: '1.50' }]);

  const back = await doctor(['--apply', '--json']);
  expect(back.exitCode).toBe(0);
  expect(JSON.parse(back.data)).toMatchObject({ effective: 'json-only', steps: [], blocked: null });
  expect(await doctor()).toMatchObject({ exitCode: 0 });
});

test('who has the JSON store open is named, and nothing is done beside them', async () => {
  const store = await openStore();
  try {
    const { exitCode, data } = await doctor(['--apply'], DUAL);
    expect(exitCode).toBe(1);
    expect(data).toContain(`(pid ${process.pid}): stop it first`);
    expect(store.phase.read().phase).toBe('json-only');
  } finally {
    await store.close();
  }
});

test('without PostgreSQL it says what JSON alone can do, and does that', async () => {
  const store = await openStore();
  await create(store);
  await store.close();
  const told = await doctor(['--apply'], { ...PHASE_4, ...UNREACHABLE });
  expect(told.exitCode).toBe(1);
  expect(told.data).toContain('Done:\n  1. json-only → json-primary');
  expect(told.data).toContain('PostgreSQL is needed');
  expect(told.data).not.toContain('secret');
});

test('a seal and an open commit that a killed process left are told, and mended', async () => {
  await doctor(['--apply'], DUAL);
  const store = await openStore();
  const { epoch } = store.phase.read();
  const committing = { attempt: 'x', epoch: epoch + 1, phase: 'postgres-primary' } as const;
  await store.phase.update({ sealed: true, committing });
  await store.close();
  const told = await doctor([], DUAL);
  expect(told.exitCode).toBe(1);
  expect(told.data).toContain('sealed for a switch');
  expect(told.data).toContain(`a commit to postgres-primary at epoch ${epoch + 1} stands open`);
  expect(told.data).toContain('made impossible and undone');
  const mended = await doctor(['--apply'], DUAL);
  expect(mended).toMatchObject({ exitCode: 0 });
});

test('two installations are told apart, and left as they are', async () => {
  await doctor(['--apply'], PHASE_4);
  rmSync(join(dataDir, 'json'), { recursive: true });
  const store = await openStore();
  await create(store);
  await store.close();
  const { exitCode, data } = await doctor(['--apply'], PHASE_4);
  expect(exitCode).toBe(1);
  expect(data).toContain("It can't go on by itself: The database belongs to the JSON store");
});

test('I12: a store that was put back is recognised, with the way out; what only moved goes on', async () => {
  await doctor(['--apply'], DUAL);
  const older = join(dataDir, 'older');
  cpSync(join(dataDir, 'json'), older, { recursive: true });
  const store = await openStore();
  await create(store);
  const { session, batch } = store.outbox.position();
  const { pairId } = store.phase.read();
  await store.close();
  // As the relay and a worker leave it: PostgreSQL has seen that place, and has what was written.
  await database.pool.query(
    `INSERT INTO relay_cursor (pair_id, seq, session, batch) VALUES ($1, 1, $2, $3)
     ON CONFLICT (pair_id) DO UPDATE SET session = excluded.session, batch = excluded.batch`,
    [pairId, session, batch],
  );
  const replicated = `INSERT INTO expenses (id, date, category, amount, account, currency, version, epoch)
    VALUES (1, '2025-12-07', 'c', 1.5, 'a', '₪', 1, 2)`;
  await database.pool.query(replicated);
  rmSync(join(dataDir, 'json'), { recursive: true });
  cpSync(older, join(dataDir, 'json'), { recursive: true });
  const told = await doctor([], DUAL);
  expect(told.exitCode).toBe(1);
  expect(told.data).toContain(
    "It can't go on by itself: The JSON store was restored from an older copy, and PostgreSQL holds what it lacks: 1 change (expense 1). Put the newer folder back.",
  );
  expect(await doctor(['--apply'], DUAL)).toEqual(told);

  await database.pool.query('DELETE FROM expenses');
  const moved = await doctor([], DUAL);
  expect(moved.data).toContain('Plan:\n  1. The JSON store, the primary, was put back or moved;');
  const applied = await doctor(['--apply'], DUAL);
  expect(applied).toMatchObject({ exitCode: 0 });
  expect(applied.data).toContain('PostgreSQL is to be brought up since');
});

test('a wrong configuration is 78', async () => {
  expect((await doctor([], { FF_DUAL_WRITE_ENABLED: 'perhaps' })).exitCode).toBe(78);
});

test('a database without the schema is migrated on the way', async () => {
  const empty = await createEmptyDatabase();
  try {
    const variables = { ...DUAL, DATABASE_URL: empty.url };
    const told = await doctor(['--json'], variables);
    const names = JSON.parse(told.data).steps.map(({ name }: { name: string }) => name);
    expect(names).toEqual(['create', 'migrate', 'move']);
    await doctor(['--apply'], variables);
    expect(await doctor([], variables)).toMatchObject({ exitCode: 0 });
  } finally {
    await empty.drop();
  }
});
