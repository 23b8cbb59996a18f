import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@tandem/storage/log';
import { ClientTokens, createToken, revokeToken, tokenFilePath } from '@tandem/storage/tokens';
import type { FastifyInstance } from 'fastify';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { AppOptions } from '../app.ts';
import { appWithoutStore } from '../testing/app-without-store.ts';

const OPERATOR = 'the-operators-token';
const SESSION = '/api/v1/migration/session';
const LIST = '/api/v1/expense';

async function started(options: Partial<AppOptions>) {
  const { app, lines } = await appWithoutStore(options);
  onTestFinished(() => app.close());
  return { app, lines };
}

const bearing = (token: string) => ({ authorization: `Bearer ${token}` });

async function statusOf(app: FastifyInstance, url: string, token?: string, remoteAddress?: string) {
  const headers = token === undefined ? {} : bearing(token);
  const from = remoteAddress === undefined ? {} : { remoteAddress };
  return (await app.inject({ url, headers, ...from })).statusCode;
}

async function clientTokens() {
  const directory = await mkdtemp(join(tmpdir(), 'tandem-limits-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const { token } = await createToken(directory, { name: 'shop', scope: 'read', by: 'test' });
  const path = tokenFilePath(directory);
  const clients = await ClientTokens.open({ path, configured: [], log: silentLog });
  onTestFinished(() => clients.close());
  return { directory, token, clients };
}

test('who tries out tokens is not heard any more, and nobody else is in the way of it', async () => {
  const { app, lines } = await started({ access: { operatorToken: OPERATOR } });
  expect(await statusOf(app, SESSION, OPERATOR)).toBe(200);
  const guesses = Array.from({ length: 12 }, (_, at) => `guessed-token-${at}`);
  const statuses = [];
  for (const guess of guesses) statuses.push(await statusOf(app, SESSION, guess, '192.0.2.1'));
  expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429, 429]);
  const barred = { url: SESSION, headers: bearing(OPERATOR), remoteAddress: '192.0.2.1' };
  const { statusCode, headers, body } = await app.inject(barred);
  expect({ statusCode, type: JSON.parse(body).type }).toEqual({
    statusCode: 429,
    type: '/problems/rate-limited',
  });
  expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  expect(Number(headers['retry-after'])).toBeLessThanOrEqual(60);

  // From the address where it was accepted before, the right one goes on being heard.
  for (const guess of guesses) await statusOf(app, SESSION, guess);
  expect(await statusOf(app, SESSION, 'guessed-token-1')).toBe(429);
  expect(await statusOf(app, SESSION, OPERATOR)).toBe(200);
  // Who brings nothing has nothing to be barred for, and records need no token here.
  expect(await statusOf(app, SESSION)).toBe(401);
  expect(await statusOf(app, LIST, 'guessed-token-1', '192.0.2.1')).toBe(503);
  const warned = lines.filter(({ msg }) =>
    /^Too many tokens from .+ were refused\.$/.test(`${msg}`),
  );
  expect(warned).toHaveLength(2);
  for (const secret of [OPERATOR, 'guessed-token']) {
    expect(JSON.stringify(lines)).not.toContain(secret);
  }
});

test('behind a trusted proxy each client has its own address; nobody else can claim one', async () => {
  const { app } = await started({
    access: { operatorToken: OPERATOR },
    trustedProxies: ['192.0.2.0/24'],
  });
  const guess = async (by: string, client: string) => {
    const headers = { ...bearing('guessed-token'), 'x-forwarded-for': client };
    return (await app.inject({ url: SESSION, headers, remoteAddress: by })).statusCode;
  };
  for (let at = 0; at < 10; at++) expect(await guess('192.0.2.1', '198.51.100.1')).toBe(401);
  expect(await guess('192.0.2.2', '198.51.100.1')).toBe(429);
  expect(await guess('192.0.2.1', '198.51.100.2')).toBe(401);
  const claims = Array.from({ length: 11 }, (_, at) => guess('203.0.113.5', `198.51.100.${at}`));
  expect((await Promise.all(claims)).at(-1)).toBe(429);
});

test('a token that is revoked while the api runs is refused, without a restart', async () => {
  const { directory, token, clients } = await clientTokens();
  const { app } = await started({ access: { operatorToken: OPERATOR, clients } });
  expect(await statusOf(app, LIST)).toBe(401);
  expect(await statusOf(app, LIST, token)).toBe(503);
  const write = { method: 'POST', url: LIST, headers: bearing(token) } as const;
  expect((await app.inject(write)).json()).toMatchObject({
    ...{ type: '/problems/forbidden', detail: 'The token of shop may read; this needs write.' },
  });
  await revokeToken(directory, { which: 'shop', by: 'test' });
  await vi.waitUntil(async () => (await statusOf(app, LIST, token)) === 401, { timeout: 10_000 });
  const refused = await app.inject({ url: LIST, headers: bearing(token) });
  expect(refused.json()).toMatchObject({ detail: 'This token was revoked.' });
});

test('ALLOW_ANONYMOUS_CLIENTS lets clients in although there are tokens', async () => {
  const { clients } = await clientTokens();
  const { app } = await started({ access: { clients, allowAnonymous: true } });
  expect(await statusOf(app, LIST)).toBe(503);
});

test('reads and writes have limits of their own, for each client', async () => {
  const { token, clients } = await clientTokens();
  const access = { operatorToken: OPERATOR, clients };
  const { app } = await started({ access, rateLimits: { reads: 2 } });
  const ask = (url: string, by: string) => app.inject({ url, headers: bearing(by) });
  expect((await ask(LIST, token)).headers).toMatchObject({
    ...{ 'ratelimit-limit': '2', 'ratelimit-remaining': '1' },
  });
  expect((await ask('/api/v1/income/1', token)).statusCode).toBe(503);
  const third = await ask(LIST, token);
  expect(third).toMatchObject({ statusCode: 429, headers: { 'retry-after': expect.any(String) } });
  expect(third.json()).toMatchObject({ type: '/problems/rate-limited', status: 429 });
  // Neither another client, nor what has no limit, nor who was refused.
  expect((await ask(LIST, OPERATOR)).statusCode).toBe(503);
  const write = { method: 'DELETE', url: `${LIST}/1`, headers: bearing(OPERATOR) } as const;
  for (let at = 0; at < 3; at++) expect((await app.inject(write)).statusCode).toBe(503);
  expect((await app.inject('/health')).headers).not.toHaveProperty('ratelimit-limit');

  const open = await started({ rateLimits: { reads: 1 } });
  expect(await statusOf(open.app, LIST, 'one')).toBe(503);
  expect(await statusOf(open.app, LIST, 'other')).toBe(429);
  expect(await statusOf(open.app, LIST, 'one', '192.0.2.7')).toBe(503);
});

test('without a limit no request is counted', async () => {
  const { app } = await started({});
  expect((await app.inject(LIST)).headers).not.toHaveProperty('ratelimit-limit');
});

test('beyond the memory bound records are refused with Retry-After; operators and probes are not', async () => {
  const { app, lines } = await started({
    access: { operatorToken: OPERATOR },
    memoryLimitBytes: 1,
  });
  for (const method of ['GET', 'POST'] as const) {
    const answer = await app.inject({ method, url: LIST });
    expect(answer.json()).toMatchObject({ status: 503, type: '/problems/overloaded' });
    expect(answer.headers).toMatchObject({ 'retry-after': '2' });
  }
  expect(await statusOf(app, SESSION, OPERATOR)).toBe(200);
  expect(await statusOf(app, '/readyz')).toBe(200);
  expect(lines).toContainEqual(
    expect.objectContaining({ level: 40, limitBytes: expect.objectContaining({ all: 1 }) }),
  );
});

test('a browser may do nothing with an answer of the operators, and read records where it is told so', async () => {
  const origin = 'https://shop.example';
  const { app } = await started({ access: { operatorToken: OPERATOR }, corsOrigin: origin });
  const headers = { ...bearing(OPERATOR), origin };
  const answered = (await app.inject({ url: SESSION, headers })).headers;
  expect(answered).toMatchObject({
    'cache-control': 'no-store',
    'content-security-policy':
      "default-src 'none';base-uri 'none';form-action 'none';frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
  });
  expect(answered).not.toHaveProperty('access-control-allow-origin');
  expect(answered).not.toHaveProperty('x-powered-by');
  expect((await app.inject({ url: SESSION })).headers).toHaveProperty('content-security-policy');
  const list = (await app.inject({ url: LIST, headers })).headers;
  expect(list).toMatchObject({
    'access-control-allow-origin': origin,
    'x-content-type-options': 'nosniff',
  });
  expect(list).not.toHaveProperty('access-control-allow-credentials');
  expect(list).not.toHaveProperty('content-security-policy');
  expect((await app.inject('/docs/')).headers['content-security-policy']).toMatch(
    /^default-src 'self'/,
  );
  const other = { url: LIST, headers: { origin: 'https://elsewhere.example' } };
  expect((await app.inject(other)).headers).not.toHaveProperty('access-control-allow-origin');
});
