import { silentLog } from '@tandem/storage/log';
import { resolveFlags } from '@tandem/storage/phase';
import { migrationOperations, ProcessRegistry } from '@tandem/storage/postgres';
import { createTestDatabase, type TestDatabase } from '@tandem/storage/testing';
import { WorkTally } from '@tandem/telemetry';
import type { Snapshot } from '@tandem/telemetry/snapshot';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { appWithoutStore } from '../testing/app-without-store.ts';

const TOKEN = 'a-token-of-more-than-16-characters';
const URL = '/api/v1/migration/snapshot';
const catchUp = {
  ...{ towards: 'postgres' as const, since: '2025-12-07T10:00:00.000Z', duty: 0.5 },
  ...{ done: 10, total: 100, perSecond: 5, secondsLeft: 18 },
};

let database: TestDatabase;
let app: FastifyInstance;
let standing: Snapshot;
let askedAfter: number[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  const operations = migrationOperations({
    ...{ pool: database.pool, lockedFlags: {}, json: async () => ({ phase: undefined, head: 0 }) },
    backlog: async () => ({ total: 3, deadLetters: 1 }),
  });
  const { flags, desired } = resolveFlags({}, { read: true, rows: {} }, null);
  const registry = new ProcessRegistry({ pool: database.pool, kind: 'api', log: silentLog });
  await registry.beat({
    ...{ effective: 'json-primary', epoch: 2, desired, flags, ready: true, waitingFor: 'that.' },
    ...{ catchUp, work: new WorkTally().now },
  });
  await operations.setPhase('postgres-primary', { actor: 'ann', reason: 'Phase 4.' });
  await operations.askBackfill({ actor: 'ann', reason: 'To be sure.' });
  const { processes, ...migration } = await operations.standing(10);
  standing = {
    at: '2025-12-07T10:00:00.000Z',
    collections: ['expense', 'income'],
    api: {
      ...{ process: 'api 1 on here', startedAt: '2025-12-07T10:00:00.000Z', status: 'degraded' },
      ...{
        effective: 'json-primary',
        desired,
        epoch: 2,
        flags,
        waitingFor: null,
        brake: 'It stands.',
      },
      dependencies: {
        json: { status: 'up' },
        relay: { status: 'degraded', detail: 'Since noon.' },
      },
      ...{ switchState: 'catching-up', requestsWaiting: 4, catchUp },
    },
    database: { problem: 'It is away.', asOf: '2025-12-07T09:00:00.000Z' },
    migration: { ...migration, processes: processes.map(({ seenAt, work, ...one }) => one) },
    trust: {
      verify: {
        ...{ id: 7, startedAt: '2025-12-07T10:00:00.000Z', finishedAt: '2025-12-07T10:00:01.000Z' },
        ...{ primary: 'json', mode: 'full', outcome: 'differences' },
      },
      readiness: {
        ...{ total: 10, failing: 1, share: 0.9 },
        first: [{ collection: 'expense', id: 5, field: null, class: 'divergent' }],
      },
      divergences: { divergent: 1, fork: 0 },
    },
    work: { shadowReads: new WorkTally().now.shadowReads },
    journalPending: 2,
    queues: { 'write-to-postgres': { waiting: 1, active: 2, deadLetters: 3 } },
    samples: {
      ...{ at: [1_765_101_600_000], backlog: [3], lag: [0.5], written: [null], applied: [1.5] },
      ...{ failed: [0], deadLetters: [1] },
    },
  };
  const snapshot = async (after: number) => {
    askedAfter.push(after);
    return standing;
  };
  ({ app } = await appWithoutStore({ access: { operatorToken: TOKEN }, snapshot: { snapshot } }));
});
afterAll(async () => {
  await app.close();
  await database.drop();
});

const get = (query = '', headers: Record<string, string> = {}) =>
  app.inject({ url: `${URL}${query}`, headers: { authorization: `Bearer ${TOKEN}`, ...headers } });

test('the snapshot is sent whole, as it is documented', async () => {
  const answer = await get();
  expect(answer.statusCode).toBe(200);
  expect(answer.json()).toEqual(standing);
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema((await app.inject('/openapi.json')).json(), 'openapi');
  const pointer = ['paths', URL, 'get', 'responses', '200', 'content', 'application/json', 'schema']
    .map((part) => encodeURIComponent(part.replaceAll('/', '~1')))
    .join('/');
  const validate = ajv.compile({ $ref: `openapi#/${pointer}` });
  expect(validate(answer.json()), JSON.stringify(validate.errors)).toBe(true);
});

test('while nothing changes but the clock, whoever has it is told so; samples can be asked for from an instant on', async () => {
  const { headers } = await get();
  standing = { ...standing, at: '2025-12-07T10:00:02.000Z' };
  const again = await get('?after=17', { 'if-none-match': headers.etag as string });
  expect([again.statusCode, again.body]).toEqual([304, '']);
  expect(askedAfter.at(-1)).toBe(17);
  standing = { ...standing, journalPending: 3 };
  expect((await get('', { 'if-none-match': headers.etag as string })).statusCode).toBe(200);
  askedAfter = [];
  for (const wrong of ['?after=-1', '?after=', '?after=now']) {
    expect((await get(wrong)).statusCode).toBe(422);
  }
  expect((await app.inject(URL)).statusCode).toBe(401);
  expect(askedAfter).toEqual([]);
});
