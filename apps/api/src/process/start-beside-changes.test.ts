// What the api finds at a start is not there any more, or another thing, when it acts by it.
import {
  create,
  type DualStores,
  expense,
  openDualStores,
  startTcpProxy,
  type TcpProxy,
  until,
} from '@tandem/storage/testing';
import { expect, onTestFinished, test } from 'vitest';
import { apiProcessOver } from '../testing/api-process-over.ts';
import type { ApiProcess } from './api-process.ts';

const DRAIN_TIMEOUT_MS = 5_000;
const MOVE = { actor: 'test', reason: 'the test asks', evidence: {} };

async function stores(phase: 'json-primary' | 'postgres-primary'): Promise<DualStores> {
  const dual = await openDualStores(phase, 'worker');
  onTestFinished(() => dual.drop());
  return dual;
}

async function proxyOf({ url }: DualStores): Promise<TcpProxy> {
  const proxy = await startTcpProxy(url);
  onTestFinished(() => proxy.close());
  return proxy;
}

async function newApi(
  { url }: TcpProxy,
  { directory }: DualStores,
  flags: Readonly<Record<string, string>>,
): Promise<ApiProcess> {
  const api = await apiProcessOver({ url, directory }, flags);
  onTestFinished(() => api.stop(DRAIN_TIMEOUT_MS));
  return api;
}

test('I5: PostgreSQL that goes away right after a start has asked it keeps no JSON primary from being served', async () => {
  const dual = await stores('json-primary');
  const { id } = await create(dual.json);
  await dual.json.close();
  const proxy = await proxyOf(dual);
  const api = await newApi(proxy, dual, { FF_DUAL_WRITE_ENABLED: 'true' });
  const askedForPhase = proxy.cutAt('FROM phase_state', { delivered: false });
  void askedForPhase.then(() => proxy.refuse());
  await api.start();
  await askedForPhase;
  expect(await api.requests.get(expense, id)).toMatchObject({ id });
  expect(api.requests.takesWrites).toBe(true);
});

test('I6: no brake is pulled at a start for a JSON store that has become the primary by a switch meanwhile', async () => {
  const dual = await stores('postgres-primary');
  const { json, store: postgres } = dual;
  const proxy = await proxyOf(dual);
  proxy.refuse();
  const bothFalse = { FF_USE_DATABASE_STORAGE: 'false', FF_DUAL_WRITE_ENABLED: 'false' };
  const api = await newApi(proxy, dual, bothFalse);
  const started = api.start();
  const { requests } = api;
  await until('it waits', () => /held by worker/.test(String(Object(requests.standing).sentence)));
  // The worker, which reaches PostgreSQL, does what the flags ask for.
  await json.phase.update({ epoch: 3, phase: 'json-primary' });
  await postgres.phase.advance(2, { epoch: 3, phase: 'json-primary' }, MOVE);
  await json.close();
  await started;
  const state = api.keeper.session?.json.phase.read();
  expect(state).toMatchObject({ phase: 'json-only', epoch: 4 });
  expect(state?.braked ?? null).toBeNull();
  expect((await create(requests as unknown as typeof json)).id).toBe(1);
});

test('I6: started while the flags can not be read, it serves the phase that stands: nothing is not false', async () => {
  const dual = await stores('postgres-primary');
  await dual.json.close();
  await dual.pool.query('ALTER TABLE feature_flags RENAME TO away');
  const api = await newApi(await proxyOf(dual), dual, {});
  await api.start();
  expect(api.keeper.effective).toEqual({ phase: 'postgres-primary', epoch: 2 });
  expect(await dual.store.phase.read()).toMatchObject({ phase: 'postgres-primary', epoch: 2 });
});
