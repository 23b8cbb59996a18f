import pg from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../log.ts';
import { createTestDatabase } from '../testing/database.ts';
import { startTcpProxy } from '../testing/tcp-proxy.ts';
import { until } from '../testing/until.ts';
import { listen } from './listen.ts';

/** A proxy to a database, and a pool through it that waits for ever: what ends then was not waited for. */
async function proxied() {
  const database = await createTestDatabase();
  const proxy = await startTcpProxy(database.url);
  const pool = new pg.Pool({ connectionString: proxy.url });
  onTestFinished(async () => {
    await proxy.close();
    await pool.end();
    await database.drop();
  });
  return { proxy, pool };
}

const listening = { channel: 'tandem_test', onNotified: () => {} };

test('it ends while the server does not answer its connecting', async () => {
  const { proxy, pool } = await proxied();
  proxy.stall();
  const end = listen(pool, listening, silentLog);
  await until('it connects', () => proxy.connections === 1);
  await end();
  proxy.resume();
  await until('its connection is gone', () => proxy.connections === 0);
});

test('it ends while the server does not answer its LISTEN', async () => {
  const { proxy, pool } = await proxied();
  const stalled = proxy.stallAt('LISTEN tandem_test');
  let isListening = false;
  const onListening = () => {
    isListening = true;
  };
  const end = listen(pool, { ...listening, onListening }, silentLog);
  await stalled;
  await end();
  expect(isListening).toBe(false);
  await until('its connection is gone', () => proxy.connections === 0);
});
