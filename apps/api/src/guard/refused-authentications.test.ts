import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@tandem/storage/log';
import { ClientTokens, createToken, revokeToken, tokenFilePath } from '@tandem/storage/tokens';
import { createMetrics } from '@tandem/telemetry';
import { expect, onTestFinished, test } from 'vitest';
import { appWithoutStore } from '../testing/app-without-store.ts';

const OPERATOR = 'the-operators-token';
const SESSION = '/api/v1/migration/session';
const LIST = '/api/v1/expense';
/** One more from the same address is not looked at. */
const REFUSALS_MAX = 10;

async function clientTokens() {
  const directory = await mkdtemp(join(tmpdir(), 'tandem-refused-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const made = (name: string) => createToken(directory, { name, scope: 'read', by: 'test' });
  const [{ token: reads }, { token: revoked }] = [await made('reads'), await made('revoked')];
  await revokeToken(directory, { which: 'revoked', by: 'test' });
  const path = tokenFilePath(directory);
  const clients = await ClientTokens.open({ path, configured: [], log: silentLog });
  onTestFinished(() => clients.close());
  return { reads, revoked, clients };
}

test('whoever is not let in is counted by why, and nobody else; what they brought is no label', async () => {
  const { reads, revoked, clients } = await clientTokens();
  const { requests, text } = createMetrics('api');
  const { app } = await appWithoutStore({
    measuring: { requests, phase: () => 'json-only' },
    access: { operatorToken: OPERATOR, clients },
  });
  onTestFinished(() => app.close());
  let address = 0;
  const ask = async (url: string, headers: Record<string, string>, method: 'GET' | 'POST') => {
    address += 1;
    const remoteAddress = `192.0.2.${address}`;
    return (await app.inject({ method, url, headers, remoteAddress })).statusCode;
  };
  const bearing = (token: string) => ({ authorization: `Bearer ${token}` });
  const opened = await app.inject({ method: 'POST', url: SESSION, headers: bearing(OPERATOR) });
  const cookie = String(opened.headers['set-cookie']).replace(/;.*/s, '');
  expect(await ask(LIST, bearing(reads), 'GET')).toBe(503);
  expect(await ask(SESSION, { cookie }, 'GET')).toBe(200);

  expect(await ask(LIST, {}, 'GET')).toBe(401);
  expect(await ask(LIST, { authorization: 'Basic c2VjcmV0' }, 'GET')).toBe(401);
  expect(await ask(LIST, bearing(reads.slice(0, -1)), 'GET')).toBe(401);
  expect(await ask(LIST, bearing(revoked), 'GET')).toBe(401);
  expect(await ask(LIST, bearing(reads), 'POST')).toBe(403);
  expect(await ask(SESSION, { cookie: 'tandem_session=zzzzzz.id.signature' }, 'GET')).toBe(401);
  expect(await ask(SESSION, { cookie }, 'POST')).toBe(403);
  for (let at = 0; at <= REFUSALS_MAX; at++) {
    await app.inject({
      url: SESSION,
      headers: bearing('guessed-token'),
      remoteAddress: '192.0.3.1',
    });
  }

  const told = await text({
    ...{ desired: 'json-only', ready: true, postgresUsable: true, directions: [], pools: {} },
  });
  const counts = [...told.matchAll(/^tandem_refused_auth\w+\{kind="(\w+)".*\} (\d+)$/gm)];
  expect(Object.fromEntries(counts.map(([, kind, count]) => [kind, Number(count)]))).toEqual({
    ...{ missing: 1, malformed: 2, unknown: REFUSALS_MAX, revoked: 1 },
    ...{ scope: 1, barred: 1, session: 1, origin: 1 },
  });
  for (const secret of [OPERATOR, reads, revoked, 'guessed-token', 'c2VjcmV0']) {
    expect(told).not.toContain(secret);
  }
});
