import { once } from 'node:events';
import { loadCollections } from '@tandem/storage/collections';
import { until } from '@tandem/storage/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Api, apiOver } from './testing/api-over.ts';
import { rawConnection, rawExchange, received } from './testing/raw-http.ts';

//  Requests that mean harm, over real connections and a real store: each is answered or its connection
//  closed, none writes anything, and everybody else is served meanwhile.

const collections = await loadCollections();
const REQUEST_TIMEOUT_MS = 300;
const EXPENSE = '{"date":"2025-12-07","category":"Groceries","amount":1,"account":"Cash"}';
const POST = 'POST /api/v1/expense HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
const GET = 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n';
/** What must never be taken for a request. */
const SMUGGLED = `${POST}Content-Length: ${EXPENSE.length}\r\n\r\n${EXPENSE}`;
const CHUNKED = 'Transfer-Encoding: chunked\r\n';

let api: Api;
let url: URL;
beforeEach(async () => {
  api = await apiOver('json', collections, { requestTimeoutMs: REQUEST_TIMEOUT_MS });
  url = new URL(await api.app.listen({ host: '127.0.0.1', port: 0 }));
});
afterEach(() => api.close());

const served = async () => {
  expect((await fetch(new URL('/health', url))).status).toBe(200);
  return (await (await fetch(new URL('/api/v1/expense', url))).json()) as unknown[];
};
const connections = () =>
  new Promise<number>((settle, fail) =>
    api.app.server.getConnections((error, count) => (error ? fail(error) : settle(count))),
  );

describe('two readers must not disagree where a request ends', () => {
  test.each([
    ['a length and chunks', `Content-Length: 5\r\n${CHUNKED}\r\n0\r\n\r\n`],
    ['chunks and a length', `${CHUNKED}Content-Length: 5\r\n\r\n0\r\n\r\n`],
    ['two lengths', 'Content-Length: 2\r\nContent-Length: 0\r\n\r\n'],
    ['a list of lengths', 'Content-Length: 0, 0\r\n\r\n'],
    ['a signed length', 'Content-Length: +0\r\n\r\n'],
    ['a length in hex', 'Content-Length: 0x0\r\n\r\n'],
    ['an unknown coding', 'Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['chunked, and then another', 'Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n'],
    ['a blank before the colon', 'Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n'],
    ['a folded header', 'X: 1\r\n Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a length behind a bare CR', 'X: 1\rContent-Length: 0\r\n\r\n'],
    ['a NUL in a header', 'X: \0\r\nContent-Length: 0\r\n\r\n'],
    ['a size of a chunk that is none', `${CHUNKED}\r\n-1\r\n`],
    ['a chunk longer than its size', `${CHUNKED}\r\n1\r\n{}0\r\n\r\n`],
    ['a size beyond every number', `${CHUNKED}\r\nffffffffffffffffff\r\n`],
  ])('%s', async (_what, head) => {
    const answer = await rawExchange(url, `${POST}${head}${SMUGGLED}`, { end: true });
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect(answer).toContain('/problems/');
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(await served()).toEqual([]);
  });
});

test('requests before garbage are answered, the garbage is refused', async () => {
  const answer = await rawExchange(url, `${GET}${SMUGGLED}${GET}\0GARBAGE\r\n\r\n${SMUGGLED}`);
  expect(answer.split(/(?=HTTP\/1\.1 )/)).toEqual([
    expect.stringMatching(/^HTTP\/1\.1 200 [\s\S]*"status":"ok"/),
    expect.stringMatching(/^HTTP\/1\.1 200 [\s\S]*"status":"created"/),
    expect.stringMatching(/^HTTP\/1\.1 200 [\s\S]*"status":"ok"/),
    expect.stringMatching(/^HTTP\/1\.1 400 [\s\S]*"\/problems\/malformed"/),
  ]);
  expect(await served()).toHaveLength(1);
});

test.each([
  ['headers', 'GET /health HTTP/1.1\r\nHost: x\r\nX-'],
  ['a body', `${POST}Content-Length: 10000\r\n\r\n{"date":`],
  ['chunks', `${POST}${CHUNKED}\r\n1\r\n{\r\n`],
])('%s that trickle in are refused in time, others are served', async (_what, begin) => {
  const socket = await rawConnection(url);
  const slow = setInterval(() => socket.write(begin.includes(CHUNKED) ? '1\r\n \r\n' : 'x'), 20);
  const answered = received(socket);
  socket.write(begin);
  expect(await served()).toEqual([]);
  const answer = await answered;
  clearInterval(slow);
  expect(answer).toMatch(/^HTTP\/1\.1 408 [\s\S]*"type":"\/problems\/request-timeout"/);
  expect(await served()).toEqual([]);
});

test.each([
  `Content-Length: 1048577\r\n\r\n${' '.repeat(1_048_577)}`,
  `${CHUNKED}\r\n100001\r\n${' '.repeat(1_048_577)}\r\n0\r\n\r\n`,
])('the request behind a body that is too large is answered (%#)', async (body) => {
  const last = 'GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  const answer = await rawExchange(url, `${POST}${body}${last}`);
  expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*HTTP\/1\.1 200 [\s\S]*"status":"ok"/);
});

test.each([
  ['close', 'close'],
  ['keep-alive', 'keep-alive'],
])('who asks for %s with a body that is too large is told so', async (asked, told) => {
  const body = `Content-Length: 1048577\r\n\r\n${' '.repeat(1_048_577)}`;
  const end =
    asked === 'close' ? '' : `GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
  const answer = await rawExchange(url, `${POST}Connection: ${asked}\r\n${body}${end}`);
  expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 413 [^{]*\r\nconnection: ${told}\r\n`, 'i'));
});

test('a connection that says nothing is closed', async () => {
  const socket = await rawConnection(url);
  await received(socket);
  expect(await served()).toEqual([]);
});

test('a client that closed its sending half in the middle of a body is refused', async () => {
  const answer = await rawExchange(url, `${POST}Content-Length: 100\r\n\r\n${EXPENSE}`, {
    end: true,
  });
  expect(answer).toMatch(/^(HTTP\/1\.1 400 |$)/);
  expect(await served()).toEqual([]);
});

test('uploads that are broken off write nothing and hold nothing', async () => {
  for (const head of [`Content-Length: ${EXPENSE.length + 1}`, 'Transfer-Encoding: chunked']) {
    for (let count = 0; count < 20; count++) {
      const socket = await rawConnection(url);
      const isChunked = head.startsWith('Transfer');
      const size = isChunked ? `${EXPENSE.length.toString(16)}\r\n` : '';
      socket.write(`${POST}${head}\r\n\r\n${size}${EXPENSE}`);
      if (count % 2 === 0) await once(api.app.server, 'request');
      socket.destroy();
    }
  }
  expect(await served()).toEqual([]);
  await api.app.server.closeIdleConnections();
  await until('no connection is left', async () => (await connections()) === 0);
  expect(api.lines.filter(({ level }) => Number(level) >= 50)).toEqual([]);
});

test.each([
  ['/docs/static/../../../../package.json'],
  ['/docs/static/..%2f..%2f..%2f..%2fpackage.json'],
  ['/docs/static/%2e%2e/%2e%2e/%2e%2e/package.json'],
  ['/docs/static/..%5c..%5cpackage.json'],
  ['/docs/static//etc/passwd'],
  ['/docs/static/%00package.json'],
  ['/docs/../package.json'],
  ['/../../../etc/passwd'],
  ['/problems/..%2f..%2fpackage.json'],
  ['/api/v1/expense/..%2fexpenses.json'],
  ['/api/v1/../../etc/passwd'],
  ['/api/v1/%2e%2e/%2e%2e/etc/passwd'],
])('%s leads to no file', async (path) => {
  const bytes = `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
  const answer = await rawExchange(url, bytes);
  expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
  expect(answer).not.toMatch(/root:|"dependencies"/);
});
