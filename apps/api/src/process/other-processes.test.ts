import { markServing } from '@tandem/storage/json';
import { silentLog } from '@tandem/storage/log';
import { createPool, ProcessRegistry } from '@tandem/storage/postgres';
import { openDualStores, startTcpProxy } from '@tandem/storage/testing';
import { expect, onTestFinished, test } from 'vitest';
import { OtherProcesses } from './other-processes.ts';

test('I6: an api on another machine may have the answer to a commit, also once PostgreSQL can not be asked who runs', async () => {
  const dual = await openDualStores('json-primary');
  onTestFinished(() => dual.drop());
  const mark = await markServing(dual.directory, 'api');
  onTestFinished(() => mark.release());
  const proxy = await startTcpProxy(dual.url);
  onTestFinished(() => proxy.close());
  const pool = createPool(proxy.url, { applicationName: 'through the proxy' });
  onTestFinished(() => pool.end());
  const registry = new ProcessRegistry({ pool, kind: 'api', log: silentLog });
  const others = new OtherProcesses({ jsonDir: dual.directory, registry, log: silentLog });
  expect(await others.serveAnywhere()).toBe(false);
  await dual.pool.query(`INSERT INTO processes
    (id, kind, pid, host, started_at, effective, epoch, desired, flags, ready, seen_at) VALUES
    (gen_random_uuid(), 'api', 1, 'another-machine', now(), 'json-primary', 2, 'json-primary', '{}', false, now())`);
  expect(await others.serveAnywhere()).toBe(true);
  // It shares no JSON store with this one.
  expect(await others.serve()).toBe(false);
  proxy.refuse();
  proxy.cut();
  expect(await others.serveAnywhere()).toBe(true);
});
