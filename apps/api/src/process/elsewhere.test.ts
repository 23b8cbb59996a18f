// An api process on another machine: the database of the pair, and a JSON_DIR that holds nothing of it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspectJsonStore } from '@tandem/storage/json';
import { create, type DualStores, expense, openDualStores, until } from '@tandem/storage/testing';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { apiProcessOver } from '../testing/api-process-over.ts';
import type { ApiProcess } from './api-process.ts';
import { readinessReport } from './readiness-report.ts';

const DRAIN_TIMEOUT_MS = 5_000;
const MOVE = { actor: 'test', reason: 'the test asks', evidence: {} };
const SERVING = { FF_USE_DATABASE_STORAGE: 'true', FF_DUAL_WRITE_ENABLED: 'true' };

let dual: DualStores;
let elsewhere: string;

async function newApi(flags: Readonly<Record<string, string>>): Promise<ApiProcess> {
  const api = await apiProcessOver({ url: dual.url, directory: elsewhere }, flags);
  onTestFinished(() => api.stop(DRAIN_TIMEOUT_MS));
  await api.start();
  return api;
}

beforeEach(async () => {
  dual = await openDualStores('postgres-primary', 'worker');
  elsewhere = await mkdtemp(join(tmpdir(), 'tandem-elsewhere-'));
  onTestFinished(async () => {
    await dual.drop();
    await rm(elsewhere, { recursive: true, force: true });
  });
});

test('I3, I6: it lifts nobody’s seal, and neither reads nor writes before it is told who is the primary', async () => {
  const { json, store: postgres } = dual;
  const api = await newApi(SERVING);
  const { requests, keeper } = api;
  const { id } = await create(postgres);
  expect(await requests.get(expense, id)).toMatchObject({ id });
  await postgres.phase.advance(2, { sealed: true }, MOVE);
  await until('it has seen the seal', () => keeper.standsBy !== undefined);
  expect(await postgres.phase.read()).toMatchObject({ epoch: 2, sealed: true });
  const read = requests.get(expense, id);
  const written = create(requests as unknown as typeof json);
  await until('both wait', () => requests.waiting === 2);
  // The switch was given up: PostgreSQL is the primary as before.
  await postgres.phase.advance(2, { sealed: false }, MOVE);
  expect(await read).toMatchObject({ id });
  expect((await written).id).toBeGreaterThan(id);

  await postgres.phase.advance(2, { sealed: true }, MOVE);
  await json.phase.update({ epoch: 3, phase: 'json-primary' });
  await postgres.phase.advance(2, { epoch: 3, phase: 'json-primary', sealed: false }, MOVE);
  await expect(requests.get(expense, id)).rejects.toThrow(/is not in this JSON_DIR/);
  expect(readinessReport(api)).toMatchObject({ ready: false });
  expect(await inspectJsonStore(elsewhere)).toMatchObject({ kind: 'empty' });
});

test('I6: started while the flags ask for JSON, it makes no empty folder the primary', async () => {
  const { store: postgres } = dual;
  const { id } = await create(postgres);
  const api = await newApi({ ...SERVING, FF_USE_DATABASE_STORAGE: 'false' });
  expect(await postgres.phase.read()).toMatchObject({ epoch: 2, phase: 'postgres-primary' });
  expect(await api.requests.get(expense, id)).toMatchObject({ id });
  expect(await inspectJsonStore(elsewhere)).toMatchObject({ kind: 'empty' });
});

test('I3, I6: started while JSON is the primary of another machine, it makes no store of its own, and says whose it is', async () => {
  const { json, store: postgres } = dual;
  await json.phase.update({ epoch: 3, phase: 'json-primary' });
  await postgres.phase.advance(2, { epoch: 3, phase: 'json-primary' }, MOVE);
  await expect(newApi({ ...SERVING, FF_USE_DATABASE_STORAGE: 'false' })).rejects.toMatchObject({
    code: 'mismatched-stores',
  });
  expect(await inspectJsonStore(elsewhere)).toMatchObject({ kind: 'empty' });
});

test('I3: started under the seal of a switch on another machine, it leaves it alone, and serves once it is lifted', async () => {
  const { store: postgres } = dual;
  await postgres.phase.advance(2, { sealed: true }, MOVE);
  const api = await newApi(SERVING);
  const written = create(api.requests as unknown as typeof dual.json);
  await until('it has seen the seal', () => api.keeper.standsBy !== undefined);
  expect(await postgres.phase.read()).toMatchObject({ sealed: true, catchUpSince: null });
  await postgres.phase.advance(2, { sealed: false }, MOVE);
  expect((await written).id).toBe(1);
  expect(await inspectJsonStore(elsewhere)).toMatchObject({ kind: 'empty' });
});
