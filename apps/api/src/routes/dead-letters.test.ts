import { Validator } from '@seriousme/openapi-schema-validator';
import { jsonRecords } from '@tandem/storage/json';
import { auditLog, postgresRecords, storageError } from '@tandem/storage/postgres';
import { deadLetterOperations, recordJobs } from '@tandem/storage/replication';
import { chainOf, create, type DualStores, openDualStores } from '@tandem/storage/testing';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { appWithoutStore } from '../testing/app-without-store.ts';

const token = 'a-token-of-more-than-16-characters';
const BASE = '/api/v1/migration';

let dual: DualStores;
let app: FastifyInstance;
let ajv: Ajv2020;

beforeAll(async () => {
  dual = await openDualStores('json-primary');
  const { pool, collections, directory } = dual;
  const ports = {
    ...{ collections, json: jsonRecords(directory) },
    database: { records: postgresRecords(pool, collections), jobs: recordJobs(pool) },
  };
  ({ app } = await appWithoutStore({
    access: { operatorToken: token },
    deadLetters: {
      operations: deadLetterOperations({ pool, audit: auditLog, operatingError: storageError }),
      xray: ports,
    },
  }));
  const document = (await app.inject('/openapi.json')).json();
  expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, 'openapi');
});
afterAll(async () => {
  await app.close();
  await dual.drop();
});
beforeEach(async () => {
  await dual.clear();
  await dual.pool.query('TRUNCATE audit_log');
  await dual.bury('postgres', chainOf(1, 3), ({ version }) => ({
    cause: 'rejected',
    error: `version ${version} violates check constraint "poison"`,
  }));
  await dual.bury('json', chainOf(2, 1));
});

/** Sends a request as an operator, and holds the answer against the OpenAPI document. */
async function operator(method: 'GET' | 'POST', path: string, payload?: object, tag?: string) {
  const answer = await app.inject({
    ...{ method, url: `${BASE}${path}` },
    headers: {
      authorization: `Bearer ${token}`,
      ...(tag === undefined ? {} : { 'if-none-match': tag }),
    },
    ...(payload === undefined ? {} : { payload }),
  });
  const route = (path.split('?')[0] ?? '')
    .replace(/^\/records\/.*$/, '/records/{collection}/{id}')
    .replace(/^\/dead-letters\/[0-9a-f-]{36}$/, '/dead-letters/{jobId}');
  if (answer.statusCode !== 304) {
    const type = answer.statusCode === 200 ? 'application/json' : 'application/problem+json';
    const pointer = ['paths', `${BASE}${route}`, method.toLowerCase(), 'responses']
      .concat([String(answer.statusCode), 'content', type, 'schema'])
      .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
      .join('/');
    const validate = ajv.compile({ $ref: `openapi#/${pointer}` });
    expect(validate(answer.json()), JSON.stringify(validate.errors)).toBe(true);
  }
  const body = answer.statusCode === 304 ? null : answer.json();
  return { status: answer.statusCode, body, tag: answer.headers.etag as string };
}

test('each route needs the token', async () => {
  const routes = [
    ['GET', '/dead-letters'],
    ['GET', '/dead-letters/groups'],
    ['GET', `/dead-letters/${crypto.randomUUID()}`],
    ['POST', '/dead-letters/redrive'],
    ['POST', '/dead-letters/discard'],
    ['GET', '/records/expense/1'],
  ] as const;
  for (const [method, path] of routes) {
    const answer = await app.inject({ method, url: `${BASE}${path}` });
    expect(answer.statusCode, path).toBe(401);
  }
});

test('letters are paged, filtered, grouped and shown; what has not changed is 304', async () => {
  const first = await operator('GET', '/dead-letters?limit=3');
  expect(first.body).toMatchObject({ total: 4, letters: [{ direction: 'json' }, {}, {}] });
  const { next } = first.body;
  const rest = await operator('GET', `/dead-letters?limit=3&cursor=${next}`);
  expect(rest.body).toMatchObject({ total: 4, next: null, letters: [{ direction: 'postgres' }] });
  expect((await operator('GET', '/dead-letters?limit=3', undefined, first.tag)).status).toBe(304);

  const groups = await operator('GET', '/dead-letters/groups?collection=expense');
  expect(groups.body).toMatchObject({
    ...{ total: 4, groupCount: 2 },
    groups: [{ count: 3, template: 'version # violates check constraint "poison"' }, { count: 1 }],
  });
  const { fingerprint, example } = groups.body.groups[0];
  const filter = `fingerprint=${fingerprint}&field=account%3DCash&contains=VERSION%203&recordId=1`;
  const found = await operator('GET', `/dead-letters?${filter}`);
  expect(found.body).toMatchObject({ total: 1, letters: [{ change: { version: 3 }, key: null }] });
  const shown = await operator('GET', `/dead-letters/${example.jobId}`);
  expect(shown.body).toMatchObject({
    letter: { fingerprint, attempts: [{ cause: 'rejected' }] },
    record: { collection: 'expense', id: 1, same: true, json: { state: 'none' } },
  });

  await operator('POST', '/dead-letters/discard', { all: true, reason: 'x' });
  const after = await operator('GET', '/dead-letters?limit=3', undefined, first.tag);
  expect(after).toMatchObject({ status: 200, body: { total: 0, letters: [] } });
  expect((await operator('GET', `/dead-letters/${example.jobId}`)).status).toBe(404);
});

test('a letter that is about no record of ours is shown as it is', async () => {
  const [change] = chainOf(9, 1);
  await dual.bury('postgres', [{ ...change, collection: 'mystery' } as typeof change & object]);
  const { body } = await operator('GET', '/dead-letters?collection=mystery');
  const shown = await operator('GET', `/dead-letters/${body.letters[0].jobId}`);
  expect(shown.body).toMatchObject({ letter: { change: { id: 9 } }, record: null });
});

test('an act is tried dry, must meet its count, goes on where it was stopped, and is kept', async () => {
  const order = { filter: { cause: 'rejected', direction: 'postgres' }, reason: 'Mended.' };
  const dry = await operator('POST', '/dead-letters/redrive', { ...order, dryRun: true });
  expect(dry.body).toMatchObject({
    ...{ act: 'redrive', dryRun: true, matched: 3, changed: 0, remaining: 3 },
    groups: [{ count: 3, example: { change: { collection: 'expense' } } }],
  });
  const wrong = await operator('POST', '/dead-letters/redrive', { ...order, expectedCount: 2 });
  expect(wrong).toMatchObject({ status: 412, body: { type: '/problems/precondition-failed' } });
  const done = await operator('POST', '/dead-letters/redrive', {
    ...{ ...order, expectedCount: 3, actor: 'ann' },
  });
  expect(done.body).toMatchObject({ matched: 3, changed: 3, skipped: 0, remaining: 0, groups: [] });
  const again = await operator('POST', '/dead-letters/redrive', {
    ...{ ...order, filter: { ...order.filter, olderThan: done.body.asOf } },
  });
  expect(again.body).toMatchObject({ matched: 0, changed: 0, asOf: done.body.asOf });
  const { rows } = await dual.pool.query('SELECT actor, action, reason FROM audit_log');
  expect(rows).toEqual([{ actor: 'ann', action: 'redrive-dead-letters', reason: 'Mended.' }]);
});

test('what would mean more than was meant is refused, field by field', async () => {
  for (const [body, ...fields] of [
    [{ reason: 'x' }, 'filter'],
    [{ all: true, filter: { cause: 'rejected' }, reason: 'x' }, 'filter'],
    [{ filter: { causes: 'rejected' }, reason: 'x' }, 'causes'],
    [{ filter: { olderThan: 'yesterday', recordId: 0 }, reason: 'x' }, 'recordId', 'olderThan'],
    [{ filters: {}, all: true }, 'filters', 'reason'],
    [{ all: true, reason: 'x', expectedCount: -1, limit: 0 }, 'expectedCount', 'limit'],
    [{ filter: { field: { name: 'a' } }, reason: 'x' }, 'field'],
  ] as const) {
    const { status, body: problem } = await operator('POST', '/dead-letters/discard', body);
    expect(status, JSON.stringify(body)).toBe(422);
    expect(problem.errors.map(({ field }: { field: string }) => field)).toEqual(fields);
  }
  for (const query of ['limit=0', 'cursor=x', 'direction=up', 'jobIds=x', 'contain=x', 'cause=']) {
    expect((await operator('GET', `/dead-letters?${query}`)).status, query).toBe(422);
  }
  const { rows } = await dual.pool.query('SELECT count(*)::int AS acts FROM audit_log');
  expect(rows).toEqual([{ acts: 0 }]);
});

test('a record is shown wherever it stands; 304 while nothing of it has changed', async () => {
  const { id } = await create(dual.json);
  const first = await operator('GET', `/records/expense/${id}`);
  expect(first.body).toMatchObject({ same: false, phase: 'json-primary', json: { state: 'live' } });
  const again = await operator('GET', `/records/expense/${id}`, undefined, first.tag);
  expect(again.status).toBe(304);
  const dead = await operator('GET', '/records/expense/2');
  expect(dead.body).toMatchObject({ jobs: [{ state: 'dead', direction: 'json' }] });
  expect((await operator('GET', '/records/expanse/1')).status).toBe(404);
  expect((await operator('GET', '/records/expense/0')).status).toBe(404);
});
