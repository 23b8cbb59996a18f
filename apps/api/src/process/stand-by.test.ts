// An api process beside another one, which has the JSON store, or serves PostgreSQL as well.
import { randomUUID } from 'node:crypto';
import { mkdir, symlink, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { realFileSystem } from '@tandem/storage/json';
import {
  create,
  type DualStores,
  expense,
  openDualStores,
  startTcpProxy,
  type TcpProxy,
  until,
} from '@tandem/storage/testing';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { apiProcessOver } from '../testing/api-process-over.ts';
import type { ApiProcess } from './api-process.ts';
import { readinessReport } from './readiness-report.ts';

const DRAIN_TIMEOUT_MS = 5_000;
/** Sooner than requests are refused because somebody holds the lock. */
const NOTICED_MS = 4_000;
/** Longer than requests wait for a lock that another process holds. */
const PATIENCE_MS = 6_000;
const MOVE = { actor: 'test', reason: 'the test asks', evidence: {} };
const SERVING = { FF_USE_DATABASE_STORAGE: 'true', FF_DUAL_WRITE_ENABLED: 'true' };

const ANOTHER_PHASE = { ...SERVING, FF_USE_DATABASE_STORAGE: 'false' };

let dual: DualStores;
let proxy: TcpProxy;
let api: ApiProcess;

/** Of the database through the proxy. */
async function newApi(flags: Readonly<Record<string, string>>): Promise<ApiProcess> {
  const made = await apiProcessOver({ url: proxy.url, directory: dual.directory }, flags);
  onTestFinished(() => made.stop(DRAIN_TIMEOUT_MS));
  return made;
}

/** One that serves, in this folder. */
async function besideAnother(): Promise<void> {
  const folder = join(dual.directory, '.tandem/serving');
  await mkdir(folder, { recursive: true });
  const mark = await realFileSystem.lock(join(folder, '1'));
  onTestFinished(() => mark?.release());
}

beforeEach(async () => {
  dual = await openDualStores('postgres-primary', 'api');
  onTestFinished(() => dual.drop());
  proxy = await startTcpProxy(dual.url);
  onTestFinished(() => proxy.close());
});

test('I5: it takes the JSON store over when its holder is gone, also while PostgreSQL is away', async () => {
  const { json, store: postgres } = dual;
  api = await newApi(SERVING);
  await api.start();
  await json.phase.update({ epoch: 3, phase: 'json-primary' });
  await postgres.phase.advance(2, { epoch: 3, phase: 'json-primary' }, MOVE);
  await until('it stands by', () => api.keeper.standsBy !== undefined);
  proxy.refuse();
  proxy.cut();
  await json.close();
  await until('it serves JSON', () => api.requests.takesWrites && api.keeper.session !== undefined);
  expect(api.keeper.effective).toEqual({ phase: 'json-primary', epoch: 3 });
});

test('I6: it reads PostgreSQL no more once JSON is the primary, even if PostgreSQL was not told', async () => {
  const { json, store: postgres } = dual;
  api = await newApi(SERVING);
  await api.start();
  await postgres.phase.advance(2, { sealed: true }, MOVE);
  await json.phase.update({ epoch: 3, phase: 'json-primary' });
  const { id } = await create(json);
  const { requests } = api;
  const isHeld = () => requests.standing.store !== undefined && requests.standing.holding === 'all';
  await until('reads wait', isHeld, NOTICED_MS);
  const read = requests.get(expense, id);
  await json.close();
  expect(await read).toMatchObject({ id });
});

test('I6: under a seal that stands for long, reads go on, and writes are told who has the JSON store', async () => {
  const { json, store: postgres } = dual;
  const { id } = await create(postgres);
  api = await newApi(SERVING);
  await api.start();
  const { requests, keeper } = api;
  await postgres.phase.advance(2, { sealed: true }, MOVE);
  await until('it has seen the seal', () => keeper.standsBy !== undefined);
  let aheadMs = 0;
  const now = performance.now.bind(performance);
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs);
  onTestFinished(() => clock.mockRestore());
  aheadMs = PATIENCE_MS;
  await until('its patience is over', () => !requests.takesWrites);
  expect(await requests.get(expense, id)).toMatchObject({ id });
  const write = () => create(requests as unknown as typeof json);
  await expect(write()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('is held by api'),
  });
  expect(readinessReport(api).ready).toBe(false);
  // The switch was given up.
  await postgres.phase.advance(2, { sealed: false }, MOVE);
  await until('it takes writes', () => requests.takesWrites);
  expect((await write()).id).toBeGreaterThan(id);

  await postgres.phase.advance(2, { sealed: true }, MOVE);
  await until('it has seen the seal', () => keeper.standsBy !== undefined);
  aheadMs += PATIENCE_MS;
  await until('its patience is over', () => !requests.takesWrites);
  await json.phase.update({ epoch: 3, phase: 'json-primary' });
  const made = await create(json);
  await expect(requests.get(expense, made.id)).rejects.toMatchObject({ code: 'unavailable' });
});

test.for(['under the seal', 'told'] as const)(
  'I6: reads that come before it has noticed the switch are answered by JSON, PostgreSQL being %s',
  async (how) => {
    const { json, store: postgres } = dual;
    api = await newApi(SERVING);
    await api.start();
    const { requests } = api;
    expect(await requests.get(expense, 1)).toBeUndefined();
    await postgres.phase.advance(2, { sealed: true }, MOVE);
    // Sealed, it has all that was acknowledged for as long as JSON has not committed.
    expect(await requests.page(expense, { limit: 1 })).toEqual({ records: [] });
    await json.phase.update({ epoch: 3, phase: 'json-primary' });
    if (how === 'told') {
      const told = { epoch: 3, phase: 'json-primary', sealed: false } as const;
      await postgres.phase.advance(2, told, MOVE);
    }
    const { id, text } = await create(json);
    const read = requests.get(expense, id);
    const page = requests.page(expense, { limit: 1 });
    const list = Array.fromAsync(requests.list(expense));
    await json.close();
    expect(await read).toMatchObject({ id, text });
    expect((await page).records).toMatchObject([{ id }]);
    expect(await list).toEqual([[text]]);
  },
);

test('I6, I12: PostgreSQL put back to before it was told is not served while the manifest says JSON', async () => {
  const { json, store: postgres } = dual;
  api = await newApi(SERVING);
  await api.start();
  await json.phase.update({ epoch: 3, phase: 'json-primary' });
  await postgres.phase.advance(2, { epoch: 3, phase: 'json-primary' }, MOVE);
  await until('it stands by', () => api.keeper.standsBy !== undefined);
  const { id, text } = await create(json);
  const catchUpSince = '2025-12-07T10:00:00.000Z';
  await postgres.phase.advance(3, { epoch: 2, phase: 'postgres-primary', catchUpSince }, MOVE);
  await until('it has looked', () => api.keeper.catchUpSince === catchUpSince);
  const read = api.requests.get(expense, id);
  await postgres.phase.advance(2, { epoch: 3, phase: 'json-primary' }, MOVE);
  await json.close();
  expect(await read).toMatchObject({ id, text });
});

test('where the JSON store is the primary and can not be opened, readiness says why, and requests are told at once', async () => {
  const { json, store: postgres, directory } = dual;
  api = await newApi(SERVING);
  await api.start();
  await json.phase.update({ epoch: 3, phase: 'json-primary' });
  await postgres.phase.advance(2, { epoch: 3, phase: 'json-primary' }, MOVE);
  await until('it stands by', () => api.keeper.standsBy !== undefined);
  const file = join(directory, 'incomes.json');
  await symlink(join(directory, 'elsewhere.json'), file);
  await json.close({ checkpoint: false });
  const because = () => Object(api.requests.standing).sentence ?? '';
  await until('it refuses', () => /incomes\.json/.test(because()), NOTICED_MS);
  expect(readinessReport(api)).toMatchObject({ ready: false });
  await unlink(file);
  await until('it serves JSON', () => api.requests.takesWrites && api.keeper.session !== undefined);
});

test('I6: started beside one that serves PostgreSQL it serves it, too: no walk passes by the gates', async () => {
  const { json, store: postgres } = dual;
  await besideAnother();
  // Nobody holds it, and the walk would.
  await json.close();
  api = await newApi(ANOTHER_PHASE);
  await api.start();
  expect(api.keeper.effective).toEqual({ phase: 'postgres-primary', epoch: 2 });
  expect(await postgres.phase.read()).toMatchObject({ epoch: 2, sealed: false });
});

test('I6: having waited for the JSON store until PostgreSQL was the primary, it walks no more', async () => {
  const { json, store: postgres } = dual;
  await besideAnother();
  await json.phase.update({ epoch: 3, phase: 'json-primary' });
  await postgres.phase.advance(2, { epoch: 3, phase: 'json-primary' }, MOVE);
  api = await newApi(ANOTHER_PHASE);
  const started = api.start();
  await until('it waits', () =>
    /is held by api/.test(String(Object(api.requests.standing).sentence)),
  );
  await json.phase.update({ epoch: 4, phase: 'postgres-primary' });
  await postgres.phase.advance(3, { epoch: 4, phase: 'postgres-primary' }, MOVE);
  await json.close();
  await started;
  expect(api.keeper.effective).toEqual({ phase: 'postgres-primary', epoch: 4 });
});

test('I6: started while the holder of the JSON store has no answer to its commit, it serves once that one is told', async () => {
  const { json, store: postgres } = dual;
  const told = { epoch: 3, phase: 'postgres-primary' } as const;
  await besideAnother();
  await json.phase.update({ epoch: 2, phase: 'json-primary', sealed: true });
  await json.phase.update({ committing: { attempt: randomUUID(), ...told } });
  await postgres.phase.advance(2, told, MOVE);
  api = await newApi(SERVING);
  const started = api.start();
  // The holder answers reads from JSON still: what was written here would be missing in them.
  const { requests } = api;
  const asksHolder = () => /is held by api/.test(String(Object(requests.standing).sentence));
  await until('it waits', () => asksHolder() || requests.takesWrites);
  expect(requests.standing.store).toBeUndefined();
  await json.phase.update({ ...told, sealed: false, committing: null });
  await json.close();
  await started;
  expect(requests.takesWrites).toBe(true);
});

test('requests come through at once when PostgreSQL is the primary again, also where none had waited for it', async () => {
  const { json, store: postgres } = dual;
  api = await newApi(SERVING);
  await api.start();
  const { requests } = api;
  await json.phase.update({ epoch: 3, phase: 'json-primary' });
  await postgres.phase.advance(2, { epoch: 3, phase: 'json-primary' }, MOVE);
  await until('it stands by', () => api.keeper.standsBy !== undefined);
  await json.phase.update({ epoch: 4, phase: 'postgres-primary' });
  await postgres.phase.advance(3, { epoch: 4, phase: 'postgres-primary' }, MOVE);
  await until('it has seen it', () => api.keeper.effective?.epoch === 4);
  expect(requests.standing).toMatchObject({ holding: 'nothing' });
});
