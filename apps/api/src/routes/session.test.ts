import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appWithoutStore } from '../testing/app-without-store.ts';

const TOKEN = 'a-token-of-more-than-16-characters';
const SESSION = '/api/v1/migration/session';

let app: FastifyInstance;
let lines: Record<string, unknown>[];
beforeAll(async () => {
  ({ app, lines } = await appWithoutStore({ access: { operatorToken: TOKEN } }));
});
afterAll(() => app.close());

type Headers = Readonly<Record<string, string>>;

async function ask(method: 'GET' | 'HEAD' | 'POST' | 'DELETE', headers: Headers = {}) {
  const answer = await app.inject({ method, url: SESSION, headers });
  const body = answer.body === '' ? {} : answer.json();
  return { status: answer.statusCode, body, headers: answer.headers };
}

/** Logs in; the cookie as a browser sends it back. */
async function logIn(headers: Headers = {}): Promise<{ cookie: string; set: string }> {
  const answer = await ask('POST', { authorization: `Bearer ${TOKEN}`, ...headers });
  expect(answer).toMatchObject({ status: 204, headers: { 'cache-control': 'no-store' } });
  const set = String(answer.headers['set-cookie']);
  return { cookie: set.slice(0, set.indexOf(';')), set };
}

test('the token is exchanged for a cookie, which reads until the log-out', async () => {
  for (const headers of [{}, { authorization: 'Bearer wrong' }]) {
    expect(await ask('POST', headers)).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': 'Bearer realm="tandem"' },
      body: { type: '/problems/unauthorized' },
    });
  }
  expect((await ask('GET')).status).toBe(401);
  const { cookie, set } = await logIn();
  expect(set).toMatch(/; HttpOnly; SameSite=Strict$/);
  expect(set).not.toContain(TOKEN);
  expect((await logIn({ 'x-forwarded-proto': 'https' })).set).toMatch(/; Secure$/);
  const { status, body } = await ask('GET', { cookie });
  expect({ status, isAhead: Date.parse(body.expiresAt) > Date.now() }).toEqual({
    status: 200,
    isAhead: true,
  });
  expect((await ask('HEAD', { cookie })).status).toBe(200);
  // Who brings the token needs no session.
  expect(await ask('GET', { authorization: `Bearer ${TOKEN}` })).toMatchObject({
    status: 200,
    body: { expiresAt: null },
  });

  expect(await ask('DELETE', { cookie, 'x-tandem-console': '1' })).toMatchObject({
    status: 204,
    headers: { 'set-cookie': expect.stringContaining('Max-Age=0') },
  });
  expect((await ask('GET', { cookie })).status).toBe(401);
  expect(JSON.stringify(lines)).not.toContain(TOKEN);
  expect(JSON.stringify(lines)).not.toContain(cookie.split('=')[1]);
});

test('with the cookie, what changes something comes from the console’s own page', async () => {
  const { cookie } = await logIn();
  const host = 'tandem.example:8000';
  const console = { host, cookie, 'x-tandem-console': '1' };
  for (const foreign of [
    { host, cookie },
    { host, cookie, 'x-tandem-console': '0' },
    { host, cookie, origin: `http://${host}` },
    { ...console, origin: 'http://tandem.example:8001' },
    { ...console, origin: 'https://elsewhere.example' },
    { ...console, origin: 'null' },
  ]) {
    expect(await ask('DELETE', foreign)).toMatchObject({
      status: 403,
      body: { type: '/problems/forbidden' },
    });
  }
  // A session is no way to another one, and a wrong token is not mended by a cookie.
  expect((await ask('POST', console)).status).toBe(403);
  expect((await ask('DELETE', { ...console, authorization: 'Bearer wrong' })).status).toBe(401);
  const bearer = { authorization: `Bearer ${TOKEN}`, origin: 'https://elsewhere.example' };
  expect((await ask('DELETE', bearer)).status).toBe(204);
  expect((await ask('GET', { cookie })).status).toBe(200);
  expect((await ask('DELETE', { ...console, origin: `https://${host}` })).status).toBe(204);
  expect((await ask('GET', { cookie })).status).toBe(401);
});
