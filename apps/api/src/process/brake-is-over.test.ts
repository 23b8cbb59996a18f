import { WAITS_FOR_RETURN } from '@tandem/storage/phase';
import { create, openDualStores, startTcpProxy, until } from '@tandem/storage/testing';
import { expect, onTestFinished, test } from 'vitest';
import { apiView } from '../snapshot/api-view.ts';
import { apiProcessOver } from '../testing/api-process-over.ts';

const DRAIN_TIMEOUT_MS = 5_000;

test('the api waits for PostgreSQL no longer than the emergency brake stands', async () => {
  const dual = await openDualStores('postgres-primary');
  onTestFinished(() => dual.drop());
  await create(dual.store);
  await dual.json.close();
  const proxy = await startTcpProxy(dual.url);
  onTestFinished(() => proxy.close());
  proxy.refuse();
  const flags = { FF_USE_DATABASE_STORAGE: 'false', FF_DUAL_WRITE_ENABLED: 'false' };
  const api = await apiProcessOver({ url: proxy.url, directory: dual.directory }, flags);
  onTestFinished(() => api.stop(DRAIN_TIMEOUT_MS));
  await api.start();
  await until('it waits', () => apiView(api).waitingFor === WAITS_FOR_RETURN);
  proxy.accept();
  await until('it is over', () => apiView(api).switchState === 'serving');
  expect(apiView(api)).toMatchObject({ brake: null, waitingFor: null });
  await until('what the flags ask for', () => apiView(api).effective === 'json-only');
  const told = `SELECT effective FROM processes WHERE waiting_for IS NULL`;
  await until('the others are told', async () => (await dual.pool.query(told)).rowCount === 1);
});
