import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { afterEach, expect, test } from 'vitest';
import type { AppOptions } from './app.ts';
import type { Readiness } from './readiness.ts';
import { appWithoutStore, READY } from './testing/app-without-store.ts';
import { rawExchange } from './testing/raw-http.ts';

//  What only a real connection shows: bytes that are no HTTP, bodies too long, and closing.

let app: FastifyInstance;
let lines: Record<string, unknown>[];
afterEach(() => app.close());

async function start(options: Partial<AppOptions> = {}): Promise<void> {
  ({ app, lines } = await appWithoutStore(options));
}

async function listen(options: Partial<AppOptions> = {}): Promise<URL> {
  await start(options);
  return new URL(await app.listen({ host: '127.0.0.1', port: 0 }));
}

test('what is no HTTP is answered like every other error', async () => {
  const url = await listen();
  expect(await rawExchange(url, 'HELLO\r\n\r\n')).toMatch(
    /^HTTP\/1.1 400 [\s\S]*application\/problem\+json[\s\S]*X-Request-Id: ([\w-]{36})\r\n[\s\S]*"type":"\/problems\/malformed"[\s\S]*"urn:request:\1"/,
  );
  expect(lines).toContainEqual(
    expect.objectContaining({ level: 30, status: 400, reqId: expect.any(String) }),
  );
  const overflow = `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`;
  expect(await rawExchange(url, overflow)).toMatch(/^HTTP\/1.1 431 [\s\S]*headers-too-large/);
});

test('a client that has closed its sending half still gets its answer', async () => {
  const url = await listen();
  const bytes = 'GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  expect(await rawExchange(url, bytes, { end: true })).toMatch(
    /^HTTP\/1.1 200 [\s\S]*\{"status":"ok"\}$/,
  );
});

test('an expectation that is not known refuses nothing', async () => {
  const url = await listen();
  const bytes = 'GET /health HTTP/1.1\r\nHost: x\r\nExpect: tea\r\nConnection: close\r\n\r\n';
  expect(await rawExchange(url, bytes)).toMatch(/^HTTP\/1.1 200 /);
});

test('a client that goes away in the middle of its body harms nobody', async () => {
  const url = await listen();
  const socket = connect(Number(url.port), url.hostname);
  await once(socket, 'connect');
  socket.write(
    'POST /api/v1/expense HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n' +
      'Content-Length: 1000\r\n\r\n{"date":',
  );
  socket.destroy();
  expect((await fetch(new URL('/health', url))).status).toBe(200);
});

test.each([1.5, 20])('a body of %d MiB gets its 413, whole', async (mebibytes) => {
  const url = await listen();
  const body = Buffer.alloc(mebibytes * 1_048_576, ' ');
  for (const chunked of [false, true]) {
    const { status, json } = await send(url, body, chunked);
    expect(status).toBe(413);
    expect(json).toMatchObject({ type: '/problems/too-large', status: 413 });
  }
});

async function send(url: URL, body: Buffer, chunked: boolean) {
  const length = chunked ? {} : { 'content-length': body.length };
  const request = httpRequest(new URL('/api/v1/expense', url), {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...length },
  });
  const answered = once(request, 'response') as Promise<[IncomingMessage]>;
  request.end(body);
  const [response] = await answered;
  return { status: response.statusCode, json: JSON.parse(await text(response)) };
}

/** A server with one connection whose `/readyz` waits for `release`. */
async function withHeldAnswer(options: Partial<AppOptions> = {}) {
  const held = Promise.withResolvers<Readiness>();
  const url = await listen({ readiness: () => held.promise, ...options });
  const socket = connect(Number(url.port), url.hostname);
  const received = text(socket);
  const arrived = once(app.server, 'request');
  socket.write('GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n');
  await arrived;
  return { socket, received, release: () => held.resolve(READY) };
}

test('while it closes, a request on a kept-alive connection is served and told to close', async () => {
  const { socket, received, release } = await withHeldAnswer();
  const closed = app.close();
  const arrived = once(app.server, 'request');
  socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n');
  await arrived;
  release();
  const [first, second] = (await received).split(/(?<=\})(?=HTTP)/);
  expect(first).toMatch(/^HTTP\/1.1 200 /);
  expect(second).toMatch(/^HTTP\/1.1 200 [\s\S]*connection: close[\s\S]*\{"status":"ok"\}$/i);
  await closed;
});

test('a connection that never ends is cut when the grace is over', async () => {
  const { received } = await withHeldAnswer({ closeGraceMs: 1 });
  await app.close();
  await expect(received).resolves.toBe('');
  expect(lines).toContainEqual(expect.objectContaining({ level: 40, graceMs: 1 }));
});

test('a connection on which nothing moves is cut, in the middle of a request too', async () => {
  const { received } = await withHeldAnswer({ silenceMs: 50 });
  await expect(received).resolves.toBe('');
});

test('a connection that falls idle while it closes is ended', async () => {
  const { received, release } = await withHeldAnswer();
  const closed = app.close();
  release();
  expect(await received).toMatch(/^HTTP\/1.1 200 /);
  await closed;
});
