import { Validator } from '@seriousme/openapi-schema-validator';
import {
  consistencyOrders,
  divergenceLedger,
  lastVerify,
  ledgerOperations,
  listVerifyRuns,
  readAuditTrail,
  readVerifyRun,
  type VerifyListPage,
} from '@tandem/storage/postgres';
import { create, type DualStores, openDualStores } from '@tandem/storage/testing';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appWithoutStore } from '../testing/app-without-store.ts';
import type { AuditOptions } from './audit.ts';

const TOKEN = 'a-token-of-more-than-16-characters';
const BASE = '/api/v1/migration';

let dual: DualStores;
let app: FastifyInstance;
let ajv: Ajv2020;

beforeAll(async () => {
  dual = await openDualStores('json-primary');
  const { pool } = dual;
  const consistency = {
    ...{ ledger: divergenceLedger(pool), operations: ledgerOperations(pool) },
    orders: consistencyOrders(pool),
    runs: {
      last: () => lastVerify(pool),
      read: (id: number) => readVerifyRun(pool, id),
      list: (page: VerifyListPage) => listVerifyRuns(pool, page),
    },
  };
  const audit: AuditOptions = { trail: (filter, page) => readAuditTrail(pool, filter, page) };
  ({ app } = await appWithoutStore({ access: { operatorToken: TOKEN }, consistency, audit }));
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

/** Sends a request as an operator, and holds the answer against the OpenAPI document. */
async function operator(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, payload?: object) {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const body = payload === undefined ? {} : { payload };
  const answer = await app.inject({ method, url: `${BASE}${path}`, headers, ...body });
  const type = answer.statusCode === 200 ? 'application/json' : 'application/problem+json';
  const route = path
    .replace(/\?.*/, '')
    .replace(/\/\d+$/, '/{id}')
    .replace(/budgets\/\w+$/, 'budgets/{collection}');
  const pointer = ['paths', `${BASE}${route}`, method.toLowerCase(), 'responses', answer.statusCode]
    .concat(['content', type, 'schema'])
    .map((part) => encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/');
  const validate = ajv.compile({ $ref: `openapi#/${pointer}` });
  expect(validate(answer.json()), JSON.stringify(validate.errors)).toBe(true);
  return { status: answer.statusCode, body: answer.json() };
}

test('operators see runs, differences and budgets, and order what is to be done about them', async () => {
  expect(await operator('GET', '/verify')).toEqual({ status: 200, body: { last: null } });
  for (let n = 0; n < 3; n++) await create(dual.json, { notes: `n${n}` });
  await dual.replicated();
  await dual.pool.query(`UPDATE expenses SET notes = 'typed' WHERE id = 1;
    DELETE FROM expenses WHERE id = 2`);
  const { id: run } = await dual.compare('json');
  const { last } = (await operator('GET', '/verify')).body;
  expect(last).toMatchObject({ id: run, lastReadiness: { total: 3, failing: 2 } });
  expect((await operator('GET', `/verify/${run}`)).body).toMatchObject({
    readiness: {
      first: [
        { id: 1, field: 'notes' },
        { id: 2, field: null },
      ],
    },
    differences: [{ class: 'conflict' }, { class: 'divergent', kind: 'missing' }],
  });
  expect((await operator('GET', '/verify/999')).status).toBe(404);
  expect((await operator('GET', '/verify/runs?limit=1')).body).toMatchObject({
    runs: [{ id: run, outcome: 'differences', counts: { conflict: 1, divergent: 1 } }],
    next: run,
  });
  expect((await operator('GET', `/verify/runs?before=${run}`)).body).toEqual({
    ...{ runs: [], next: null },
  });
  expect((await operator('GET', '/verify/runs?limit=0')).status).toBe(422);

  const page = (await operator('GET', '/divergences?limit=1')).body;
  expect(page).toMatchObject({ entries: [{ class: 'conflict' }], next: page.entries[0].id });
  const rest = (await operator('GET', `/divergences?limit=2&after=${page.next}&class=divergent`))
    .body;
  expect(rest).toMatchObject({ entries: [{ kind: 'missing' }], next: null });
  expect((await operator('GET', '/divergences?state=odd')).status).toBe(422);
  const shadowed = await operator('GET', '/divergences?foundBy=shadow-read');
  expect(shadowed.body.entries).toEqual([]);
  expect((await operator('GET', '/divergences?foundBy=me')).status).toBe(422);
  expect((await operator('GET', `/divergences/${page.next}`)).body.secondary.text).toContain(
    'typed',
  );

  const asked = { reason: 'why', actor: 'me' };
  const repair = await operator('POST', '/repair', { run, ...asked });
  expect(repair.body).toMatchObject({ state: 'waiting', what: { scope: { runId: run } } });
  expect((await operator('GET', `/orders/${repair.body.id}`)).body).toEqual(repair.body);
  expect((await operator('POST', '/repair', { run, id: 1, ...asked })).status).toBe(422);
  expect((await operator('POST', '/repair', { run })).status).toBe(422);
  expect((await operator('POST', '/verify', { mode: 'full', ...asked })).body).toMatchObject({
    what: { kind: 'verify', mode: 'full' },
  });
  expect((await operator('GET', '/orders?kind=repair')).body).toEqual([repair.body]);
  expect((await operator('GET', '/orders')).status).toBe(422);
  const choice = { ids: [page.next], keep: 'secondary', ...asked };
  expect((await operator('POST', '/divergences/resolve', choice)).body).toMatchObject({
    what: { keep: 'secondary', scope: { entryIds: [page.next] } },
  });
  expect((await operator('POST', '/divergences/resolve', { ...choice, keep: '' })).status).toBe(
    422,
  );

  const allowed = await operator('PUT', '/divergences/budgets/expense', { allowed: 2, ...asked });
  expect(allowed.body).toEqual([{ collection: 'expense', open: 2, allowed: 2 }]);
  const accepted = await operator('POST', '/divergences/accept', {
    ids: [page.next, 99],
    ...asked,
  });
  expect(accepted.body).toEqual({ matched: 2, changed: 1 });
  expect((await operator('GET', '/divergences/budgets')).body).toEqual([
    { collection: 'expense', open: 1, allowed: 2 },
  ]);
  const { rows } = await dual.pool.query('SELECT actor, action FROM audit_log ORDER BY id');
  expect(rows.map(({ actor, action }) => `${actor} ${action}`)).toEqual([
    ...['me repair', 'me repair', 'me set-divergence-budget', 'me accept-divergences'],
  ]);
});

test('an order that waits is withdrawn, with a reason that is kept; one that was taken is not', async () => {
  const placed = { what: { kind: 'verify', mode: 'full' }, actor: 'me', reason: 'why' } as const;
  const orders = consistencyOrders(dual.pool);
  const id = await orders.place(placed);
  expect((await operator('DELETE', `/orders/${id}`)).status).toBe(422);
  expect((await operator('DELETE', '/orders/4711', { reason: 'why' })).status).toBe(404);
  const reason = 'Not needed any more.';
  const withdrawn = await operator('DELETE', `/orders/${id}?reason=${encodeURIComponent(reason)}`);
  expect(withdrawn.body).toMatchObject({ id, state: 'withdrawn', finishedAt: expect.any(String) });
  const again = await operator('DELETE', `/orders/${id}`, { reason });
  expect(again).toMatchObject({
    status: 409,
    body: { detail: `Order ${id} is withdrawn; only one that waits can be withdrawn.` },
  });
  while ((await orders.take('a')) !== undefined);
  const { body } = await operator('GET', '/audit?action=withdraw-order');
  expect(body.entries).toMatchObject([{ reason, details: { order: id, kind: 'verify' } }]);
  const taken = await orders.place(placed);
  expect(await orders.take('a')).toMatchObject({ id: taken });
  expect((await operator('DELETE', `/orders/${taken}`, { reason })).status).toBe(409);
});

test('who did what and why is told newest first, by page and by filter, whatever it was', async () => {
  const { pool } = dual;
  const letters = Array.from({ length: 300 }, (_, n) => ({ jobId: `${n}`, data: 'x'.repeat(60) }));
  await pool.query(
    `INSERT INTO audit_log (at, actor, action, reason, details)
     VALUES (now() + interval '1s', 'ann', 'discard-dead-letters', 'Given UP \u00fc', $1)`,
    [JSON.stringify({ letters })],
  );
  await pool.query(
    `INSERT INTO phase_intents (at, actor, act, desired, reason)
     VALUES (now() - interval '1h', 'ben', 'set', 'postgres-primary', 'Phase 4.')`,
  );
  const { body } = await operator('GET', '/audit');
  // Too long for a list: what was discarded stands in the table.
  expect(body.entries[0]).toMatchObject({ actor: 'ann', letters: 300, details: null });
  expect(body.entries[0].detailsBytes).toBeGreaterThan(16_384);
  const told = body.entries.map(
    ({ actor, action }: Record<string, string>) => `${actor} ${action}`,
  );
  expect(told).toContain('me accept-divergences');
  expect(told).toContain('me verify');
  expect(told.filter((one: string) => /(keep|move)-phase$/.test(one)).length).toBeGreaterThan(0);
  expect(body.entries.find(({ actor }: { actor: string }) => actor === 'ben')).toMatchObject({
    ...{ action: 'ask-for-phase', details: { desired: 'postgres-primary' }, letters: null },
  });
  const paged: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { entries: { id: string }[]; next: string | null } = (
      await operator('GET', `/audit?limit=2${query}`)
    ).body;
    paged.push(...page.entries.map(({ id }) => id));
    cursor = page.next;
  }
  expect(paged).toEqual(body.entries.map(({ id }: { id: string }) => id));
  const actorsOf = async (query: string) =>
    (await operator('GET', `/audit?${query}`)).body.entries.map(
      ({ actor }: { actor: string }) => actor,
    );
  expect(await actorsOf('contains=given%20up')).toEqual(['ann']);
  expect(await actorsOf('action=ask-for-phase')).toEqual(['ben']);
  const halfAnHourAgo = new Date(Date.now() - 1_800_000).toISOString();
  expect(await actorsOf(`olderThan=${halfAnHourAgo}`)).toEqual(['ben']);
  expect(await actorsOf(`newerThan=${halfAnHourAgo}`)).not.toContain('ben');
  for (const wrong of ['limit=0', 'cursor=x', 'olderThan=now', 'contains=']) {
    expect((await operator('GET', `/audit?${wrong}`)).status).toBe(422);
  }
});

test('nobody without the token sees or orders anything', async () => {
  for (const url of ['/verify', '/verify/runs', '/divergences', '/orders/1', '/audit']) {
    expect((await app.inject(`${BASE}${url}`)).statusCode).toBe(401);
  }
  const repair = {
    method: 'POST',
    url: `${BASE}/repair`,
    payload: { run: 1, reason: 'x' },
  } as const;
  expect((await app.inject(repair)).statusCode).toBe(401);
});
