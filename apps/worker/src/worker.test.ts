import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@tandem/embedded-postgres';
import { inspectJsonStore, openJsonStore, requestHandover } from '@tandem/storage/json';
import { silentLog } from '@tandem/storage/log';
import { flagsOf, type Phase } from '@tandem/storage/phase';
import { migrateSchema, writePhaseFlags } from '@tandem/storage/postgres';
import { migrateQueues, readBacklog } from '@tandem/storage/replication';
import {
  chainOf,
  create,
  createEmptyDatabase,
  createReplicationFixture,
  expense,
  type ReplicationFixture,
  run,
  setOf,
  until,
} from '@tandem/storage/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runWorker, type WorkerRun } from './testing/worker-run.ts';

let home: string;
let fixture: ReplicationFixture;
const started: WorkerRun[] = [];

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'tandem-worker-'));
  fixture = await createReplicationFixture();
});
afterEach(async () => {
  for (const { child, ended } of started.splice(0)) {
    child.kill('SIGKILL');
    await ended;
  }
  await fixture.drop();
  rmSync(home, { recursive: true, force: true });
});

async function start(environment: Record<string, string> = {}): Promise<WorkerRun> {
  const worker = await runWorker({ DATABASE_URL: fixture.url, JSON_DIR: home, ...environment });
  started.push(worker);
  return worker;
}

const ready = (worker: WorkerRun) =>
  until('the worker is ready', async () => (await worker.readiness())?.ready === true);

const following = (worker: WorkerRun) =>
  until('the worker follows with JSON', async () => {
    const readiness = await worker.readiness();
    return readiness?.dependencies.json?.detail === 'working';
  });

/** The database is primary, and shall be, of a pair whose JSON half is still to be made. */
async function enterPostgresPrimary(): Promise<void> {
  await writePhaseFlags(fixture.pool, flagsOf('postgres-primary'));
  await fixture.store.phase.advance(
    0,
    { pairId: 'a-pair', epoch: 1, phase: 'postgres-primary' },
    { actor: 'test', reason: 'test', evidence: {} },
  );
}

/** Has the worker move the phase, and let go of the JSON store. */
async function moveAway(to: Phase): Promise<void> {
  await writePhaseFlags(fixture.pool, flagsOf(to));
  await until('it lets go of the JSON store', async () => {
    const { phase, holder } = await inspectJsonStore(home);
    return phase?.phase === to && holder === undefined;
  });
}

const fileRecords = (): unknown[] => JSON.parse(readFileSync(join(home, expense.file), 'utf8'));

test('a taken port ends it with one sentence and the code for configuration errors', async () => {
  const port = await freePort();
  const other = createServer().listen(port, '127.0.0.1');
  const worker = await start({ WORKER_PORT: String(port) });
  expect(await worker.ended).toBe(78);
  expect(worker.output()).toBe(`WORKER_PORT ${port} on 127.0.0.1 is already in use.\n`);
  other.close();
});

test.each([
  [{ DATABASE_URL: '' }, /^DATABASE_URL is not set.*\n$/],
  [{ DATABASE_URL: 'mysql://x' }, /^DATABASE_URL is not of the form.*\n$/],
  [{ FF_DUAL_WRITE_ENABLED: 'maybe' }, /^FF_DUAL_WRITE_ENABLED is "maybe".*\n$/],
])('a wrong configuration %j ends it with one sentence', async (environment, sentence) => {
  const worker = await start(environment);
  expect(await worker.ended).toBe(78);
  expect(worker.output()).toMatch(sentence);
});

test('it applies what waits for PostgreSQL, drains on SIGTERM, and says that nothing is left', async () => {
  const worker = await start();
  await ready(worker);
  await fixture.enqueue(
    'postgres',
    Array.from({ length: 300 }, (_, n) => chainOf(n + 1, 1)).flat(),
  );
  worker.child.kill('SIGTERM');
  expect(await worker.ended).toBe(0);
  expect(await readBacklog(fixture.pool)).toMatchObject({ total: 0, deadLetters: 0 });
  expect(worker.said('Dual-write: Created expense')).toBe(300);
  expect(worker.said('nothing waits in the queue')).toBe(1);
});

test('without PostgreSQL it waits, alive and not ready, and says so once', async () => {
  const worker = await start({
    DATABASE_URL: `postgres://nobody:x@127.0.0.1:${await freePort()}/x`,
  });
  await until('it has said so', () => worker.said("PostgreSQL can't be used") === 1);
  expect(await worker.readiness()).toMatchObject({ ready: false, status: 'unready' });
  expect((await fetch(`http://127.0.0.1:${worker.port}/livez`)).status).toBe(200);
  expect(worker.said('"level":40')).toBe(1);
  worker.child.kill('SIGINT');
  expect(await worker.ended).toBe(0);
});

test('an unmigrated database is named as such, and worked on as soon as it is migrated', async () => {
  const empty = await createEmptyDatabase();
  const worker = await start({ DATABASE_URL: empty.url });
  await until('it asks for migration', () => worker.said('run \\"tandem migrate\\"') > 0);
  await migrateSchema(empty.pool);
  await migrateQueues(empty.pool, silentLog);
  await ready(worker);
  worker.child.kill('SIGKILL');
  await worker.ended;
  await empty.drop();
});

test('the end of the launcher’s pipe stops it cleanly', async () => {
  const worker = await start({ TANDEM_LIFELINE: '1' });
  await ready(worker);
  worker.child.stdin?.end();
  expect(await worker.ended).toBe(0);
});

test('I7: a stop whose last checkpoint fails has status 1 and says why; the journal has it all', async () => {
  await enterPostgresPrimary();
  const worker = await start();
  await following(worker);
  const { text } = await create(fixture.store);
  // What a checkpoint would have to replace.
  symlinkSync(join(home, 'elsewhere.json'), join(home, expense.file));
  worker.child.kill('SIGTERM');
  expect(await worker.ended).toBe(1);
  expect(worker.output()).toMatch(/Stopped, but not cleanly: .*is a symbolic link/);
  rmSync(join(home, expense.file));
  const collections = [...fixture.collections];
  const store = await openJsonStore({ directory: home, collections });
  expect((await store.get(expense, 1))?.text).toBe(text);
  await store.close();
  expect(fileRecords()).toEqual([JSON.parse(text)]);
});

test('I7: in postgres-primary it follows with JSON, and a clean stop leaves the file exact', async () => {
  await enterPostgresPrimary();
  await create(fixture.store, { notes: 'written before the worker came' });
  const worker = await start();
  await following(worker);
  const second = await create(fixture.store, { amount: '7.10', notes: 'second' });
  const third = await create(fixture.store);
  const set = setOf({ notes: 'changed' });
  await run(fixture.store, { op: 'update', collection: expense, id: second.id, set });
  await run(fixture.store, { op: 'delete', collection: expense, id: third.id });
  worker.child.kill('SIGTERM');
  expect(await worker.ended).toBe(0);
  expect(fileRecords()).toMatchObject([
    { id: 1, notes: 'written before the worker came' },
    { id: second.id, amount: 7.1, notes: 'changed' },
  ]);
  expect(await readBacklog(fixture.pool)).toMatchObject({ total: 0, deadLetters: 0 });
  expect(worker.said(`Dual-write: Deleted expense ${third.id} from JSON`)).toBe(1);
});

test('I7: a stop right after another process let go of the JSON store still drains into it', async () => {
  // As at a start into postgres-primary: the api walks the phases under the lock, then lets go.
  const other = await openJsonStore({ directory: home, collections: [expense] });
  await enterPostgresPrimary();
  const worker = await start();
  await ready(worker);
  await create(fixture.store, { notes: 'written before the worker could follow' });
  await other.close();
  worker.child.kill('SIGTERM');
  expect(await worker.ended).toBe(0);
  expect(fileRecords()).toMatchObject([{ notes: 'written before the worker could follow' }]);
  expect(await readBacklog(fixture.pool)).toMatchObject({ total: 0, deadLetters: 0 });
});

test.each(['json-primary', 'postgres-only'] as const)(
  'I7: a stop right after a move to %s leaves the file exact, though nobody took the store since',
  async (phase) => {
    await enterPostgresPrimary();
    const worker = await start();
    await following(worker);
    await create(fixture.store, { notes: 'written before the move' });
    await fixture.drained('json');
    await moveAway(phase);
    worker.child.kill('SIGTERM');
    expect(await worker.ended).toBe(0);
    expect(fileRecords()).toMatchObject([{ notes: 'written before the move' }]);
  },
);

test('I7: a stop leaves a JSON primary alone that another process has had since', async () => {
  await enterPostgresPrimary();
  const worker = await start();
  await following(worker);
  await moveAway('json-primary');
  const api = await openJsonStore({ directory: home, collections: [...fixture.collections] });
  await create(api);
  await api.close();
  // The service was rolled back to the legacy application, while a worker of it was left running.
  const byLegacy = JSON.stringify([
    ...fileRecords(),
    { id: 9, notes: 'by the legacy application' },
  ]);
  writeFileSync(join(home, expense.file), byLegacy);
  worker.child.kill('SIGTERM');
  expect(await worker.ended).toBe(0);
  expect(readFileSync(join(home, expense.file), 'utf8')).toBe(byLegacy);
});

test('a second worker stands by for JSON, and takes over from one that was killed', async () => {
  await enterPostgresPrimary();
  const first = await start();
  await following(first);
  const second = await start();
  await ready(second);
  await create(fixture.store, { notes: 'by the first' });
  await fixture.drained('json');
  expect((await second.readiness())?.dependencies.json?.detail).toBe('standing by');
  first.child.kill('SIGKILL');
  await first.ended;
  await create(fixture.store, { notes: 'by the second' });
  await following(second);
  second.child.kill('SIGTERM');
  expect(await second.ended).toBe(0);
  expect(fileRecords()).toMatchObject([{ notes: 'by the first' }, { notes: 'by the second' }]);
});

test('asked for the JSON store, it finishes its batch, checkpoints and lets go', async () => {
  await enterPostgresPrimary();
  const worker = await start();
  await following(worker);
  await create(fixture.store);
  await fixture.drained('json');
  const withdraw = await requestHandover(home, { pid: process.pid, processName: 'test' });
  await until('it lets go', async () => (await inspectJsonStore(home)).holder === undefined);
  expect(fileRecords()).toHaveLength(1);
  await withdraw();
  await following(worker);
});
