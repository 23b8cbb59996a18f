import { openDualStores, startTcpProxy, until } from '@tandem/storage/testing';
import { expect, onTestFinished, test } from 'vitest';
import { apiProcessOver } from '../testing/api-process-over.ts';

const DRAIN_TIMEOUT_MS = 5_000;

test('started without PostgreSQL, the api keeps to the flags that were typed while it ran before', async () => {
  const dual = await openDualStores('json-primary');
  onTestFinished(() => dual.drop());
  await dual.json.close();
  const proxy = await startTcpProxy(dual.url);
  onTestFinished(() => proxy.close());
  const newApi = async () => {
    const api = await apiProcessOver({ url: proxy.url, directory: dual.directory });
    await api.start();
    return api;
  };
  // No rows: nothing is asked for.
  const before = await newApi();
  expect(before.keeper.effective?.phase).toBe('json-only');
  await dual.pool.query(
    `INSERT INTO feature_flags (name, enabled) VALUES ('DUAL_WRITE_ENABLED', true)`,
  );
  await until('what is typed', () => before.keeper.effective?.phase === 'json-primary');
  await before.stop(0);
  proxy.refuse();
  const api = await newApi();
  onTestFinished(() => api.stop(DRAIN_TIMEOUT_MS));
  expect(api.flags).toMatchObject({ desired: 'json-primary' });
  expect(api.keeper.effective?.phase).toBe('json-primary');
});
