import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { loadCollections } from '@tandem/storage/collections';
import { externalEditsOf, type JsonStore, openJsonStore } from '@tandem/storage/json';
import { silentLog } from '@tandem/storage/log';
import { openPostgresStore, recordAudit } from '@tandem/storage/postgres';
import { createTestDatabase, type TestDatabase } from '@tandem/storage/testing';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appWithoutStore } from '../testing/app-without-store.ts';

const TOKEN = 'a-token-of-more-than-16-characters';
const BASE = '/api/v1/migration/external-edits';

let database: TestDatabase;
let directory: string;
let store: JsonStore;
let app: FastifyInstance;
let ajv: Ajv2020;

beforeAll(async () => {
  database = await createTestDatabase();
  directory = await mkdtemp(join(tmpdir(), 'tandem-edits-'));
  const collections = await loadCollections();
  const record = { date: '2025-12-07', category: 'Food', amount: 1, account: 'Cash', id: 1 };
  await writeFile(join(directory, 'expenses.json'), JSON.stringify([record]));
  store = await openJsonStore({ directory, collections, processName: 'api' });
  await store.checkpoint();
  const jobs = { insert: () => Promise.reject(new Error('PostgreSQL is not the primary.')) };
  const edits = externalEditsOf({
    ...{ directory, collections, log: silentLog, timeoutMs: 20_000 },
    postgres: openPostgresStore({ pool: database.pool, collections, jobs }),
    audit: (entry) => recordAudit(database.pool, entry),
  });
  ({ app } = await appWithoutStore({ access: { operatorToken: TOKEN }, externalEdits: { edits } }));
  const document = (await app.inject('/openapi.json')).json();
  expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, 'openapi');
});
afterAll(async () => {
  await app.close();
  await store.close();
  await rm(directory, { recursive: true });
  await database.drop();
});

/** Sends a request as an operator, and holds the answer against the OpenAPI document. */
async function operator(method: 'GET' | 'POST', path = '', payload?: object) {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const body = payload === undefined ? {} : { payload };
  const answer = await app.inject({ method, url: `${BASE}${path}`, headers, ...body });
  const type = answer.statusCode === 200 ? 'application/json' : 'application/problem+json';
  const route = `${BASE}${path.replace(/^\/[^/]+/, '/{name}')}`;
  const pointer = ['paths', route, method.toLowerCase(), 'responses', answer.statusCode]
    .concat(['content', type, 'schema'])
    .map((part) => encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/');
  const validate = ajv.compile({ $ref: `openapi#/${pointer}` });
  expect(validate(answer.json()), JSON.stringify(validate.errors)).toBe(true);
  return { status: answer.statusCode, body: answer.json() };
}

/** Edits the file as somebody with an editor would. @returns the edit's name */
async function editByHand(notes: string): Promise<string> {
  const path = join(directory, 'expenses.json');
  const [record] = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify([{ ...record, notes }]));
  await store.checkpoint();
  return store.externalEdits().at(-1)?.name ?? '';
}

test('an edit is listed, shown, and adopted or rejected once, with who and why', async () => {
  expect(await operator('GET')).toEqual({ status: 200, body: [] });
  const first = await editByHand('by hand');
  expect((await operator('GET')).body).toMatchObject([
    { name: first, status: 'open', changed: [1], added: [], removed: [] },
  ]);
  expect((await operator('GET', `/${first}`)).body.records).toMatchObject(
    [{ id: 1, from: expect.stringContaining('"notes":null'), to: /by hand/ }].map(
      ({ to, ...rest }) => ({ ...rest, to: expect.stringMatching(to) }),
    ),
  );
  const dry = await operator('POST', `/${first}/adopt`, { reason: 'To see.', dryRun: true });
  expect(dry).toMatchObject({ status: 200, body: { status: 'open', decisions: [] } });
  const asked = { reason: 'It was meant.', actor: 'ann' };
  expect(await operator('POST', `/${first}/adopt`, asked)).toMatchObject({
    ...{ status: 200, body: { status: 'adopted', decisions: [{ ...asked, act: 'adopt' }] } },
  });
  expect(await readFile(join(directory, 'expenses.json'), 'utf8')).toContain('by hand');
  expect(await operator('POST', `/${first}/reject`, asked)).toMatchObject({
    ...{ status: 409, body: { type: '/problems/conflict' } },
  });
  const second = await editByHand('not meant');
  expect((await operator('POST', `/${second}/reject`, asked)).body.status).toBe('rejected');
  expect(await readFile(join(directory, 'expenses.json'), 'utf8')).toContain('by hand');
  const { rows } = await database.pool.query(
    `SELECT actor, action, reason, details->>'edit' AS edit FROM audit_log ORDER BY id`,
  );
  expect(rows).toEqual([
    { actor: 'ann', action: 'adopt-external-edit', reason: asked.reason, edit: first },
    { actor: 'ann', action: 'reject-external-edit', reason: asked.reason, edit: second },
  ]);
});

test('without the token 401, without a reason 422, of no edit 404', async () => {
  for (const [method, path] of [
    ['GET', ''],
    ['GET', '/x'],
    ['POST', '/x/adopt'],
    ['POST', '/x/reject'],
  ] as const) {
    expect((await app.inject({ method, url: `${BASE}${path}` })).statusCode).toBe(401);
  }
  expect((await operator('POST', '/x/adopt', {})).status).toBe(422);
  expect((await operator('POST', '/x/adopt', { reason: 'Why not.' })).status).toBe(404);
  expect((await operator('GET', '/..%2F..%2Fmanifest.json')).status).toBe(404);
});
