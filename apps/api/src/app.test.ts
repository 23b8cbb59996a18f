import { gzipSync } from 'node:zlib';
import { TandemError } from '@tandem/storage/errors';
import { RoutedStore } from '@tandem/storage/phase';
import type { FastifyInstance } from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import type { AppOptions } from './app.ts';
import { problemCatalogue } from './problem-catalogue.ts';
import type { Readiness } from './readiness.ts';
import { appWithoutStore, READY } from './testing/app-without-store.ts';

//  What holds without a store: there is none here, and the API says so.

let app: FastifyInstance;
let lines: Record<string, unknown>[];
afterEach(() => app.close());

async function start(options: Partial<AppOptions> = {}): Promise<void> {
  ({ app, lines } = await appWithoutStore(options));
}

const post = (payload: string, headers: Record<string, string> = {}) =>
  app.inject({
    method: 'POST',
    url: '/api/v1/expense',
    payload,
    headers: { 'content-type': 'application/json', ...headers },
  });

const EXPENSE = '{"date":"2025-12-07","category":"Groceries","amount":1,"account":"Cash"}';

describe('errors', () => {
  test.each([
    ['GET', '/api/v1/expense'],
    ['GET', '/api/v1/expense?limit=2'],
    ['HEAD', '/api/v1/expense'],
    ['GET', '/api/v1/income/1'],
    ['DELETE', '/api/v1/income/1'],
  ] as const)('%s %s without a primary is 503 with Retry-After', async (method, url) => {
    const requests = new RoutedStore();
    requests.refuse('PostgreSQL can not be reached.');
    await start({ primary: () => requests });
    const response = await app.inject({ method, url });
    expect(response.statusCode).toBe(503);
    expect(response.headers['retry-after']).toBe('1');
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    if (method === 'HEAD') return;
    expect(response.json()).toEqual({
      type: '/problems/unavailable',
      title: problemCatalogue.unavailable.title,
      status: 503,
      detail: 'PostgreSQL can not be reached.',
      instance: `urn:request:${response.headers['x-request-id']}`,
    });
  });

  test('an outcome that is unknown has a type of its own (I10)', async () => {
    await start({
      primary: () => {
        throw new TandemError('outcome-unknown', 'The connection was cut during COMMIT.');
      },
    });
    const response = await post(EXPENSE);
    expect(response.statusCode).toBe(503);
    expect(response.json()).toMatchObject({ type: '/problems/outcome-unknown', status: 503 });
  });

  test('a full disk is 507, and tried again later', async () => {
    await start({
      primary: () => {
        throw new TandemError('storage-full', 'The disk is full.');
      },
    });
    const response = await post(EXPENSE);
    expect(response.statusCode).toBe(507);
    expect(response.headers['retry-after']).toBe('10');
  });

  test.each([
    new Error('secret at /srv/data/file.ts'),
    new TandemError('refused-to-open', 'secret at /srv/data/expenses.json'),
  ])('the unexpected is 500, logged with its stack, and told without internals', async (error) => {
    await start({
      primary: () => {
        throw error;
      },
    });
    const response = await post(EXPENSE);
    expect(response.statusCode).toBe(500);
    expect(response.json()).toMatchObject({ type: '/problems/internal', status: 500 });
    expect(response.body).not.toContain('secret');
    const logged = lines.find(({ err }) => err !== undefined);
    expect(logged).toMatchObject({ level: 50, reqId: response.headers['x-request-id'] });
    expect(JSON.stringify(logged?.err)).toContain('app.test.ts');
  });

  test('an operating error is logged once with its cause, the body does not have it', async () => {
    await start();
    const response = await post(EXPENSE);
    expect(response.body).not.toContain('ECONNREFUSED');
    const logged = lines.filter(({ code }) => code === 'unavailable');
    expect(logged).toHaveLength(1);
    expect(logged[0]).toMatchObject({ host: 'db', cause: expect.stringContaining('ECONNREFUSED') });
  });

  test.each([
    ['GET', '/', 404, 'not-found'],
    ['GET', '/api/v1/expenses', 404, 'not-found'],
    ['GET', '/api/v1/expense/', 404, 'not-found'],
    ['POST', '/api/v2/expense', 404, 'not-found'],
    ['GET', '/api/v1/expense/%E0%A4%A', 400, 'malformed'],
    ['GET', `/api/v1/expense/${'1'.repeat(200)}`, 414, 'uri-too-long'],
    ['PUT', '/api/v1/expense', 405, 'method-not-allowed'],
    ['POST', '/api/v1/income/1', 405, 'method-not-allowed'],
    ['GET', '/api/v1/income/bulk-delete', 405, 'method-not-allowed'],
  ] as const)('%s %s is %i', async (method, url, status, code) => {
    await start();
    const response = await app.inject({ method, url });
    expect(response.statusCode).toBe(status);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.headers['x-request-id']).toBeTruthy();
    expect(response.json()).toMatchObject({ type: `/problems/${code}`, status });
    expect(status !== 405 || response.headers.allow).toBeTruthy();
  });

  test('a problem names its request, as the header does', async () => {
    await start();
    const headers = { 'x-request-id': 'mine' };
    for (const url of ['/nowhere', '/api/v1/expense/x', '/api/v1/expense?limit=0', '/api/v1/x/%']) {
      const response = await app.inject({ url, headers });
      expect(response.headers['x-request-id']).toBe('mine');
      expect(response.json().instance).toBe('urn:request:mine');
    }
  });

  test.each([
    ['/health', 'GET, HEAD, OPTIONS'],
    ['/api/v1/expense', 'GET, HEAD, OPTIONS, POST'],
    ['/api/v1/expense/17', 'DELETE, GET, HEAD, OPTIONS, PATCH, PUT'],
    ['/api/v1/expense/bulk-delete', 'OPTIONS, POST'],
    ['/problems/invalid', 'GET, HEAD, OPTIONS'],
  ])('%s has %s, and says so', async (url, allow) => {
    await start();
    const options = await app.inject({ method: 'OPTIONS', url: `${url}?x=/y` });
    expect(options.statusCode).toBe(204);
    expect(options.headers).toMatchObject({ allow, 'x-request-id': expect.any(String) });
    const others = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE'] as const;
    for (const method of others.filter((one) => !allow.includes(one))) {
      // Before a body is looked at.
      const response = await app.inject({ method, url, payload: ' '.repeat(1_048_577) });
      expect(response.statusCode, method).toBe(405);
      expect(response.headers.allow).toBe(allow);
    }
    const nowhere = await app.inject({ method: 'OPTIONS', url: `${url}/x/y` });
    expect(nowhere.statusCode).toBe(404);
  });

  test('every problem has its page', async () => {
    await start();
    for (const [code, { title }] of Object.entries(problemCatalogue)) {
      const response = await app.inject(`/problems/${code}`);
      expect(response.statusCode).toBe(200);
      expect(response.headers['content-type']).toMatch(/^text\/plain/);
      expect(response.body).toContain(title);
    }
    for (const code of ['nothing', 'constructor', '__proto__', 'lock-held']) {
      expect((await app.inject(`/problems/${code}`)).statusCode).toBe(404);
    }
  });
});

describe('bodies that are refused before a store is asked', () => {
  test.each([
    ['text/plain', EXPENSE, 415],
    ['application/x-www-form-urlencoded', 'a=b', 415],
    ['application/jsonp', EXPENSE, 415],
    ['application/json', '{"date":', 400],
    ['application/json', '', 422],
    ['application/json', '[]', 422],
    ['application/json', '"text"', 422],
    ['application/json', '17', 422],
    ['application/json', 'null', 422],
    ['application/json', `{"amount":1,${EXPENSE.slice(1)}`, 422],
    ['application/json', ' '.repeat(1_048_577), 413],
  ])('%s %#', async (type, payload, status) => {
    await start();
    const response = await post(payload, { 'content-type': type });
    expect(response.statusCode).toBe(status);
    expect(response.json()).toMatchObject({ status, detail: expect.any(String) });
  });

  test.each(['text/plain', 'application/x-www-form-urlencoded'])(
    'a deletion has none, whatever type it names: %s',
    async (type) => {
      await start();
      const bare = { method: 'DELETE', url: '/api/v1/expense/1' } as const;
      const headers = { 'content-type': type };
      expect((await app.inject({ ...bare, headers })).statusCode).toBe(503);
      const empty = { ...headers, 'content-length': '0' };
      expect((await app.inject({ ...bare, headers: empty })).statusCode).toBe(503);
      expect((await app.inject({ ...bare, headers, payload: 'x' })).statusCode).toBe(415);
    },
  );

  test('what would have been taken is said: JSON, not compressed', async () => {
    await start();
    const text = await post(EXPENSE, { 'content-type': 'text/plain' });
    expect(text.statusCode).toBe(415);
    expect(text.headers).toMatchObject({ accept: 'application/json' });
    const gzip = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
    const payload = gzipSync(EXPENSE);
    const response = await app.inject({
      ...{ method: 'POST', url: '/api/v1/expense', headers: gzip, payload },
    });
    expect(response.statusCode).toBe(415);
    expect(response.headers).toMatchObject({ 'accept-encoding': 'identity' });
    expect(response.json()).toMatchObject({ type: '/problems/unsupported-media-type' });
  });

  test.each(['application/json; charset=utf-8', 'application/JSON;charset=UTF-8'])(
    '%s is read',
    async (type) => {
      await start();
      expect((await post(EXPENSE, { 'content-type': type })).statusCode).toBe(503);
    },
  );

  test('the bound of a body can be set', async () => {
    await start({ bodyLimitBytes: 10 });
    expect((await post(EXPENSE)).statusCode).toBe(413);
  });
});

describe('request ids and the log', () => {
  test('a sane id of the caller is taken over and echoed', async () => {
    await start();
    const response = await app.inject({ url: '/health', headers: { 'x-request-id': 'trace:1.b' } });
    expect(response.headers['x-request-id']).toBe('trace:1.b');
  });

  test.each(['', 'two words', 'x'.repeat(129), '<script>', 'a\u00ff'])(
    'the id %j is replaced',
    async (id) => {
      await start();
      const { headers } = await app.inject({ url: '/health', headers: { 'x-request-id': id } });
      expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    },
  );

  test('one line a request, without anything of a record', async () => {
    await start();
    await app.inject('/nowhere?notes=private');
    await post('{"notes":"private","date":"private","x":');
    await post('{"notes":"private","date":"private"}');
    await app.inject('/health');
    const requests = lines.filter(({ msg }) => msg === 'request');
    expect(requests).toMatchObject([
      { method: 'GET', path: '/nowhere', status: 404, ms: expect.any(Number) },
      { method: 'POST', path: '/api/v1/expense', status: 400, reqId: expect.any(String) },
      { method: 'POST', path: '/api/v1/expense', status: 422 },
    ]);
    expect(JSON.stringify(lines)).not.toContain('private');
  });
});

describe('probes', () => {
  test.each([
    [READY, 200],
    [{ ...READY, status: 'degraded', dependencies: { queue: { status: 'down' } } }, 200],
    [{ ...READY, ready: false, status: 'unready' }, 503],
  ] as [Readiness, number][])(
    '/readyz %# is 200 while the primary serves',
    async (state, status) => {
      await start({ readiness: async () => state });
      const response = await app.inject('/readyz');
      expect(response.statusCode).toBe(status);
      expect(response.json()).toEqual(state);
      expect((await app.inject('/livez')).statusCode).toBe(200);
      expect((await app.inject('/health')).body).toBe('{"status":"ok"}');
    },
  );

  test('readiness that can not be told is 503', async () => {
    await start({ readiness: () => Promise.reject(new Error('no answer')) });
    const response = await app.inject('/readyz');
    expect(response.statusCode).toBe(503);
    expect(response.json()).toMatchObject({ ready: false, status: 'unready' });
  });
});

describe('headers', () => {
  test('nosniff, no x-powered-by, and no CORS unless an origin is set', async () => {
    await start();
    const { headers } = await app.inject({ url: '/health', headers: { origin: 'https://a.test' } });
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff' });
    expect(Object.keys(headers)).not.toContain('x-powered-by');
    expect(Object.keys(headers)).not.toContain('access-control-allow-origin');
  });

  test('CORS for the given origins', async () => {
    await start({ corsOrigin: 'https://a.test, https://b.test' });
    const origin = async (name: string) =>
      (await app.inject({ url: '/health', headers: { origin: name } })).headers[
        'access-control-allow-origin'
      ];
    expect(await origin('https://b.test')).toBe('https://b.test');
    expect(await origin('https://c.test')).toBeUndefined();
    const preflight = await app.inject({
      method: 'OPTIONS',
      url: '/api/v1/expense/1',
      headers: { origin: 'https://a.test', 'access-control-request-method': 'PATCH' },
    });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers['access-control-allow-methods']).toContain('PATCH');
    expect((await app.inject({ method: 'OPTIONS', url: '/health' })).statusCode).toBe(204);
  });
});
