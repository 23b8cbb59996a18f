import { join } from 'node:path';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { TandemError } from '@tandem/storage/errors';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ProblemCode } from './problem-catalogue.ts';
import { appWithoutStore } from './testing/app-without-store.ts';
import { TOKEN, type WholeApi, wholeApi } from './testing/whole-api.ts';

//  The document of the API with all of its routes. What `openapi.test.ts` holds of the record routes over
//  each store is not said again here.

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly example?: unknown;
  readonly required?: boolean;
  readonly schema: { readonly enum?: readonly unknown[] };
  readonly $ref?: string;
}
interface Operation {
  readonly parameters: readonly Parameter[];
  readonly requestBody?: {
    readonly content: Record<string, { example?: unknown; schema: { $ref?: string } }>;
  };
  readonly responses: Record<
    string,
    { readonly content?: Record<string, { readonly example?: unknown }> }
  >;
}
interface Document {
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    readonly schemas: Record<string, { readonly examples?: readonly unknown[] }>;
    readonly examples: Record<string, { readonly value: Record<string, unknown> }>;
  };
}

const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };

let api: WholeApi;
let app: FastifyInstance;
let text: string;
let document: Document;
let ajv: Ajv2020;

beforeAll(async () => {
  api = await wholeApi();
  ({ app } = api);
  text = (await app.inject('/openapi.json')).body;
  document = JSON.parse(text);
  ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema(document, 'openapi');
});
afterAll(() => api.close());

const pointer = (...parts: string[]): string =>
  parts
    .map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/');

function expectDocumented(reference: string, value: unknown): void {
  const validate = ajv.compile({ $ref: `openapi#/${reference}` });
  expect(validate(value), JSON.stringify(validate.errors)).toBe(true);
}

test('the document is linted without a complaint', async () => {
  const config = await createConfig({
    extends: ['recommended-strict'],
    // The probes have none.
    rules: { 'operation-4xx-response': 'off' },
  });
  const source = { source: text, absoluteRef: '/openapi.json', config };
  const complaints = await lintFromString(source);
  expect(complaints.map(({ message, location }) => [message, location[0]?.pointer])).toEqual([]);
});

// `vitest run apps/api/src/openapi-whole.test.ts -u` writes it anew.
test('docs/openapi.json is the document', async () => {
  const file = join(import.meta.dirname, '../../../docs/openapi.json');
  await expect(`${JSON.stringify(document, null, 1)}\n`).toMatchFileSnapshot(file);
});

test('every example of a request is one', async () => {
  const executed: string[] = [];
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const request = requestOf(path, method, operation);
      const answer = await app.inject({ ...request, headers: AUTHORIZED });
      const status = '200' in operation.responses ? '200' : '204';
      expect(String(answer.statusCode), `${method} ${path}: ${answer.body}`).toBe(status);
      executed.push(`${method} ${path}`);
      if (status === '204') continue;
      const [[type = '', media] = []] = Object.entries(operation.responses[status]?.content ?? {});
      expect(String(answer.headers['content-type'])).toContain(type);
      const reference = ['paths', path, method, 'responses', status, 'content', type, 'schema'];
      const isText = type === 'text/plain';
      expectDocumented(pointer(...reference), isText ? answer.body : answer.json());
      if (media?.example !== undefined) expectDocumented(pointer(...reference), media.example);
    }
  }
  expect(executed.length).toBeGreaterThan(40);
});

/** The request that the examples of an operation make. */
function requestOf(path: string, method: string, operation: Operation): InjectOptions {
  const { jobId, edits } = api.present;
  const given: Record<string, unknown> = {
    jobId,
    name: edits[path.endsWith('/reject') ? 1 : 0],
  };
  let url = path;
  const query = new URLSearchParams();
  for (const { name, in: place, example, required, schema } of operation.parameters.filter(
    ({ $ref }) => $ref === undefined,
  )) {
    const value = given[name] ?? example ?? (required ? schema.enum?.[0] : undefined);
    if (place === 'path') {
      expect(value, `${method} ${path} has an example of ${name}`).toBeDefined();
      url = url.replace(`{${name}}`, encodeURIComponent(String(value)));
    } else if (place === 'query' && value !== undefined) query.set(name, String(value));
  }
  const content = operation.requestBody?.content['application/json'];
  const { $ref = '' } = content?.schema ?? {};
  const payload =
    content?.example ?? document.components.schemas[$ref.split('/').at(-1) ?? '']?.examples?.[0];
  if (content !== undefined) expect(payload, `${method} ${path} has an example`).toBeDefined();
  return {
    method: method.toUpperCase() as 'GET',
    url: query.size === 0 ? url : `${url}?${query}`,
    ...(payload === undefined ? {} : { payload: payload as object }),
  };
}

const EXPENSE = '{"date":"2025-12-07","category":"Groceries","amount":1,"account":"Cash"}';
const json = (method: 'POST' | 'PUT' | 'PATCH', url: string, payload: string, headers = {}) => ({
  ...{ method, url, payload },
  headers: { 'content-type': 'application/json', ...AUTHORIZED, ...headers },
});
const create = (payload: string, headers = {}) => json('POST', '/api/v1/expense', payload, headers);

/** A request that is answered with the problem. */
const PROVOKED: Partial<Record<ProblemCode, () => InjectOptions | Promise<InjectOptions>>> = {
  invalid: () => create('{"date":"none"}'),
  malformed: () => create('{"date":'),
  'not-found': () => ({ url: '/api/v1/expense/999' }),
  'too-large': () => create(' '.repeat(1_048_577)),
  'unsupported-media-type': () => create('a=b', { 'content-type': 'text/plain' }),
  unauthorized: () => ({ url: '/api/v1/migration/phase' }),
  forbidden: async () => {
    const { headers } = await app.inject({
      ...{ method: 'POST', url: '/api/v1/migration/session', headers: AUTHORIZED },
    });
    const [cookie = ''] = String(headers['set-cookie']).split(';');
    return { method: 'DELETE', url: '/api/v1/migration/session', headers: { cookie } };
  },
  'rate-limited': async () => {
    const guessing = { url: '/api/v1/migration/phase', remoteAddress: '192.0.2.1' };
    for (let guess = 0; guess < 10; guess++) {
      await app.inject({ ...guessing, headers: { authorization: `Bearer guess-${guess}` } });
    }
    return { ...guessing, headers: AUTHORIZED };
  },
  'not-a-field': async () => {
    const { expense } = (await app.inject(create(EXPENSE))).json();
    return json('PATCH', `/api/v1/expense/${expense.id}`, '{"field":"id","value":1}');
  },
  'precondition-failed': async () => {
    const { expense } = (await app.inject(create(EXPENSE))).json();
    return json('PUT', `/api/v1/expense/${expense.id}`, '{}', { 'if-match': '"0-0"' });
  },
  'key-reused': async () => {
    const key = { 'idempotency-key': 'k' };
    await app.inject(create(EXPENSE, key));
    return create(`${EXPENSE} `, key);
  },
  conflict: async () => {
    const path = `/api/v1/migration/external-edits/${api.present.edits[1]}`;
    const reason = '{"reason":"No one meant it."}';
    await app.inject(json('POST', `${path}/reject`, reason));
    return json('POST', `${path}/adopt`, reason);
  },
};

/** Those that only a store in need has. */
const FROM_THE_STORE = [
  'not-primary',
  'unavailable',
  'outcome-unknown',
  'storage-failed',
  'overloaded',
  'storage-full',
] as const;

const INJECTIONS = [
  "'; DROP TABLE expenses; --",
  "1' OR '1'='1",
  '1; DELETE FROM expenses',
  "') UNION SELECT token FROM pg_authid --",
  '$1',
  '"; DROP SCHEMA pgboss CASCADE; --',
  '%27%20OR%201=1',
  '\\x27',
];

test('SQL in what operators ask for is looked for, never carried out', async () => {
  const before = (await app.inject('/api/v1/expense')).body;
  for (const sql of INJECTIONS) {
    const value = encodeURIComponent(sql);
    const base = '/api/v1/migration';
    for (const url of [
      ...['collection', 'cause', 'fingerprint', 'contains', 'jobIds', 'cursor', 'recordId'].map(
        (name) => `${base}/dead-letters?${name}=${value}`,
      ),
      `${base}/dead-letters?field=${encodeURIComponent(`account=${sql}`)}`,
      `${base}/dead-letters/groups?contains=${value}`,
      `${base}/dead-letters/${value}`,
      `${base}/divergences?collection=${value}&class=${value}`,
      `${base}/records/${value}/1`,
      `${base}/records/expense/${value}`,
      `${base}/external-edits/${value}`,
      `/api/v1/expense/${value}`,
      `/api/v1/expense?limit=${value}`,
    ]) {
      const answer = await app.inject({ url, headers: AUTHORIZED });
      expect([200, 404, 422], `${url}: ${answer.body}`).toContain(answer.statusCode);
      expect(answer.body).not.toMatch(/syntax error|SCRAM-SHA/);
    }
    const filter = { collection: sql, contains: sql, field: { name: sql, value: sql } };
    const discard = JSON.stringify({ filter, reason: sql, actor: sql });
    const answer = await app.inject(json('POST', `${base}/dead-letters/discard`, discard));
    expect(answer.json()).toMatchObject({ matched: 0, changed: 0 });
  }
  expect((await app.inject('/api/v1/expense')).body).toBe(before);
});

test('every example of a problem is what is answered', async () => {
  for (const [code, { value: sample }] of Object.entries(document.components.examples)) {
    const fromStore = FROM_THE_STORE.find((one) => one === code);
    const broken = async () => {
      const primary = () => {
        if (fromStore === undefined) throw new Error('unexpected');
        throw new TandemError(fromStore, 'The store said so.');
      };
      const { app: one } = await appWithoutStore({ primary });
      const answer = await one.inject(create(EXPENSE));
      await one.close();
      return answer;
    };
    const provoked = PROVOKED[code as ProblemCode];
    const answer = provoked === undefined ? await broken() : await app.inject(await provoked());
    const told = answer.json();
    const kind = ({ type, title, status }: Record<string, unknown>) => ({ type, title, status });
    expect(kind(told)).toEqual(kind(sample));
    expect('errors' in told).toBe('errors' in sample);
    for (const one of [told, sample]) expectDocumented('components/schemas/Problem', one);
  }
});
