import { Validator } from '@seriousme/openapi-schema-validator';
import { silentLog } from '@tandem/storage/log';
import { resolveFlags } from '@tandem/storage/phase';
import { migrationOperations, ProcessRegistry, readPhaseFlags } from '@tandem/storage/postgres';
import { createTestDatabase, type TestDatabase } from '@tandem/storage/testing';
import { WorkTally } from '@tandem/telemetry';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { appWithoutStore } from '../testing/app-without-store.ts';

const TOKEN = 'a-token-of-more-than-16-characters';
const BASE = '/api/v1/migration';
const NO_JSON = async () => ({ phase: undefined, head: 0 });

let database: TestDatabase;
let app: FastifyInstance;
let lines: readonly Record<string, unknown>[];
let ajv: Ajv2020;

beforeAll(async () => {
  database = await createTestDatabase();
  const operations = migrationOperations({
    ...{ pool: database.pool, lockedFlags: {}, json: NO_JSON },
    backlog: async () => ({ total: 3, deadLetters: 1 }),
  });
  ({ app, lines } = await appWithoutStore({
    access: { operatorToken: TOKEN },
    migration: { operations },
  }));
  const document = (await app.inject('/openapi.json')).json();
  expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, 'openapi');
});
afterAll(async () => {
  await app.close();
  await database.drop();
});
beforeEach(async () => {
  await database.pool.query('TRUNCATE feature_flags, phase_intents, processes');
});

/** Sends a request as an operator, and holds the answer against the OpenAPI document. */
async function operator(
  method: 'GET' | 'PUT' | 'POST' | 'DELETE',
  path: string,
  options: Omit<InjectOptions, 'method' | 'url'> = {},
) {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const answer = await app.inject({ method, url: `${BASE}${path}`, headers, ...options });
  const [route = ''] = `${BASE}${path}`.split('?');
  const type = answer.statusCode === 200 ? 'application/json' : 'application/problem+json';
  const pointer = ['paths', route, method.toLowerCase(), 'responses', answer.statusCode]
    .concat(['content', type, 'schema'])
    .map((part) => encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/');
  const validate = ajv.compile({ $ref: `openapi#/${pointer}` });
  expect(validate(answer.json()), JSON.stringify(validate.errors)).toBe(true);
  return { status: answer.statusCode, body: answer.json() };
}

const ROUTES = [
  ['GET', '/phase'],
  ['GET', '/phase/history'],
  ['PUT', '/phase'],
  ['DELETE', '/phase'],
  ['GET', '/processes'],
  ['GET', '/backfill'],
  ['POST', '/backfill'],
] as const;

test.each(ROUTES)('%s %s needs the token, whatever else the request is', async (method, path) => {
  const wrong = [undefined, '', TOKEN, `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, 'Bearer'];
  for (const authorization of wrong) {
    const headers = {
      'content-type': 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
    };
    const payload = method === 'GET' ? {} : { payload: '{"desired":' };
    // Each route is asked from an address of its own, so that none is barred for guessing.
    const remoteAddress = `192.0.2.${ROUTES.findIndex((route) => route[1] === path && route[0] === method)}`;
    const url = `${BASE}${path}`;
    const answer = await app.inject({ method, url, headers, remoteAddress, ...payload });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers).toMatchObject({
      'content-type': expect.stringMatching(/^application\/problem\+json/),
      'www-authenticate': 'Bearer realm="tandem"',
      'cache-control': 'no-store',
    });
    expect(answer.json()).toMatchObject({ type: '/problems/unauthorized', status: 401 });
  }
  expect(JSON.stringify(lines)).not.toContain(TOKEN);
});

test('record routes and probes need no operator’s token', async () => {
  expect((await app.inject('/health')).statusCode).toBe(200);
  expect((await app.inject('/api/v1/expense')).statusCode).toBe(503);
});

test('PUT /phase writes both flags; GET tells the phase, DELETE takes it back', async () => {
  const put = await operator('PUT', '/phase', {
    payload: { desired: 'postgres-primary', reason: 'Phase 4.', actor: 'ann' },
  });
  expect(put).toMatchObject({
    status: 200,
    body: {
      ...{ effective: 'json-only', desired: 'postgres-primary', dryRun: false },
      steps: [{ to: 'json-primary' }, { to: 'postgres-primary', movesPrimary: true }],
      warnings: ['No api or worker runs: the phase moves when one starts.'],
    },
  });
  expect(await readPhaseFlags(database.pool)).toEqual({
    USE_DATABASE_STORAGE: true,
    DUAL_WRITE_ENABLED: true,
  });
  expect((await operator('GET', '/phase')).body).toMatchObject({
    ...{ desired: 'postgres-primary', effective: 'json-only', waitingFor: null },
    intent: { actor: 'ann', reason: 'Phase 4.', act: 'set' },
  });
  const cancelled = await operator('DELETE', '/phase?reason=Not%20today.');
  expect(cancelled).toMatchObject({ status: 200, body: { desired: 'json-only', steps: [] } });
  const history = await operator('GET', '/phase/history?limit=2');
  expect(history.body).toMatchObject([
    { kind: 'cancel', actor: 'operator from 127.0.0.1', reason: 'Not today.' },
    { kind: 'set', actor: 'ann', to: 'postgres-primary' },
  ]);
});

test('a dry run writes nothing', async () => {
  const payload = { desired: 'postgres-only', reason: 'To see.', dryRun: true };
  const { body } = await operator('PUT', '/phase', { payload });
  expect(body.dryRun).toBe(true);
  expect(body.steps[1].gates).toContainEqual(
    expect.objectContaining({ name: 'dead letters', open: false, value: 1 }),
  );
  expect(await readPhaseFlags(database.pool)).toEqual({});
});

test('a flag that a process’s environment locks is 409; the process is in GET /processes', async () => {
  const registry = new ProcessRegistry({ pool: database.pool, kind: 'api', log: silentLog });
  onTestFinished(() => registry.stop());
  const { flags, desired } = resolveFlags(
    { DUAL_WRITE_ENABLED: false },
    { read: true, rows: {} },
    null,
  );
  await registry.beat({
    ...{
      effective: 'json-only',
      epoch: 1,
      desired,
      flags,
      ready: true,
      waitingFor: null,
      catchUp: null,
      work: new WorkTally().now,
    },
  });
  const { status, body } = await operator('PUT', '/phase', {
    payload: { desired: 'json-primary', reason: 'Phase 3.' },
  });
  expect(status).toBe(409);
  expect(body.detail).toContain(`FF_DUAL_WRITE_ENABLED=false is set for api ${process.pid} on `);
  expect((await operator('GET', '/processes')).body).toMatchObject([
    { kind: 'api', pid: process.pid, flags: { DUAL_WRITE_ENABLED: { source: 'environment' } } },
  ]);
});

test('what a request gets wrong is told field by field', async () => {
  const bad = await operator('PUT', '/phase', {
    payload: { desired: 'phase-4', reason: ' ', actor: '\0', dryRun: 'yes' },
  });
  expect(bad.status).toBe(422);
  expect(bad.body.errors.map(({ field }: { field: string }) => field).sort()).toEqual(
    ['actor', 'desired', 'dryRun', 'reason'].sort(),
  );
  const headers = { authorization: `Bearer ${TOKEN}` };
  expect((await operator('PUT', '/phase', { payload: 'x', headers })).status).toBe(415);
  const sent = { ...headers, 'content-type': 'application/json' };
  expect((await operator('PUT', '/phase', { payload: '{"x', headers: sent })).status).toBe(400);
  expect((await operator('PUT', '/phase', { payload: '[1]', headers: sent })).status).toBe(422);
  expect((await operator('DELETE', '/phase')).body.errors).toEqual([
    { field: 'reason', problem: 'must be a text of 1 to 1000 characters' },
  ]);
  for (const limit of ['0', '1001', 'x', '1&limit=2']) {
    expect((await operator('GET', `/phase/history?limit=${limit}`)).status).toBe(422);
  }
  expect(await readPhaseFlags(database.pool)).toEqual({});
});

test('a backfill is asked for once, shown while it runs, and refused where nothing follows', async () => {
  const ask = (payload: object) => operator('POST', '/backfill', { payload });
  expect(await ask({ reason: 'Why not.' })).toMatchObject({
    status: 409,
    body: { detail: expect.stringMatching(/^In json-only no store follows/) },
  });
  await database.pool.query(`UPDATE phase_state SET phase = 'json-primary'`);
  onTestFinished(async () => {
    await database.pool.query(`UPDATE phase_state SET phase = 'json-only'`);
  });
  expect((await ask({})).status).toBe(422);
  const dry = await ask({ reason: 'Why not.', dryRun: true });
  expect(dry.body).toMatchObject({ order: null, towards: 'postgres', joined: false });
  const { body } = await ask({ reason: 'Why not.', actor: 'ann@here' });
  expect((await ask({ reason: 'Again.' })).body).toMatchObject({ order: body.order, joined: true });
  const registry = new ProcessRegistry({ pool: database.pool, kind: 'api', log: silentLog });
  const { flags, desired } = resolveFlags({}, { read: true, rows: {} }, null);
  const catchUp = {
    ...{ towards: 'postgres' as const, since: '2025-12-07T10:00:00.000Z', duty: 0.5 },
    ...{ done: 10, total: 100, perSecond: 5, secondsLeft: null },
  };
  await registry.beat({
    ...{ effective: 'json-primary', epoch: 1, desired, flags, ready: true, waitingFor: null },
    catchUp,
    work: null,
  });
  onTestFinished(() => registry.stop());
  const running = [{ ...catchUp, process: expect.stringMatching(/^api \d+ on /) }];
  expect((await operator('GET', '/backfill')).body).toMatchObject({
    ...{ effective: 'json-primary', towards: 'postgres', running },
    asked: [{ id: body.order, state: 'waiting', actor: 'ann@here', result: null }],
  });
  expect((await operator('GET', '/phase')).body.catchUps).toEqual(running);
});

test('without PostgreSQL the operators’ routes say so', async () => {
  const away = await createTestDatabase();
  const operations = migrationOperations({
    ...{ pool: away.pool, lockedFlags: {}, json: NO_JSON },
    backlog: async () => ({ total: 0, deadLetters: 0 }),
  });
  const other = await appWithoutStore({
    access: { operatorToken: TOKEN },
    migration: { operations },
  });
  await away.pool.query('DROP TABLE phase_state');
  const headers = { authorization: `bearer  ${TOKEN}` };
  const answer = await other.app.inject({ url: `${BASE}/phase`, headers });
  expect(answer.json()).toMatchObject({ status: 503, type: '/problems/storage-failed' });
  await other.app.close();
  await away.drop();
});
