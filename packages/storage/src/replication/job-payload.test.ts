import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Change, Item } from '../changes/index.ts';
import { createQueueDatabase, type QueueDatabase } from '../testing/queue-database.ts';
import { createJobSink } from './boss-job-sink.ts';
import { readJobData, toJobData } from './job-payload.ts';
import { QUEUES } from './job-sink.ts';

let database: QueueDatabase;
beforeAll(async () => {
  database = await createQueueDatabase();
});
afterAll(() => database.drop());

const change: Change = {
  collection: 'expense',
  id: 7,
  epoch: 2,
  version: 3,
  base: { epoch: 1, version: 2 },
  op: 'update',
  record:
    '{"date":"2025-12-07","amount":150.5,"notes":"שקל ₪ \\u0000 \\ud800 \\"q\\"","ratio":1.50e+3,"id":7}',
  at: '2025-12-07T10:00:00.000Z',
  idempotencyKey: 'k-1',
};
const key: Item = {
  kind: 'key',
  key: { key: 'k-1', fingerprint: 'f', outcome: '{"kind":"deleted","id":7}', at: change.at },
};

test('I8: an item comes out of the queue as it went in, the text byte by byte', async () => {
  const items: Item[] = [{ kind: 'change', change }, key];
  const sink = createJobSink({ queues: database.queues, queue: QUEUES.postgres });
  const client = await database.pool.connect();
  await sink.insert(client, items);
  client.release();
  const boss = await database.queues.ready();
  const jobs = await boss.fetch(QUEUES.postgres, { batchSize: 10 });
  const read = jobs.map(({ data }) => readJobData(data));
  expect(read).toHaveLength(2);
  for (const item of items) expect(read).toContainEqual({ ok: true, item });
});

test('the trace of its request travels beside an item; what is none is left out', () => {
  const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  for (const item of [{ kind: 'change', change, trace } as const, { ...key, trace }]) {
    expect(readJobData(toJobData(item))).toEqual({ ok: true, item });
  }
  for (const wrong of [
    7,
    '',
    'a trace',
    trace.replace('00-', '01-'),
    trace.replace('4bf9', '4BF9'),
  ]) {
    const read = readJobData({ ...toJobData({ kind: 'change', change }), trace: wrong });
    expect(read).toEqual({ ok: true, item: { kind: 'change', change } });
  }
});

test('more items than one statement takes are all inserted', async () => {
  const many = Array.from(
    { length: 4_500 },
    (_, index): Item => ({ kind: 'change', change: { ...change, id: index + 1 } }),
  );
  const sink = createJobSink({ queues: database.queues, queue: QUEUES.json });
  const client = await database.pool.connect();
  await sink.insert(client, many);
  client.release();
  const { rows } = await database.pool.query(
    `SELECT count(DISTINCT data->'change'->>'id')::int AS ids FROM pgboss.job WHERE name = $1`,
    [QUEUES.json],
  );
  expect(rows[0].ids).toBe(4_500);
});

describe('a payload that is none is told apart', () => {
  const good = toJobData({ kind: 'change', change });
  test.each([
    ['nothing', null],
    ['a text', 'x'],
    ['an array', []],
    ['an unknown format', { ...good, format: 2 }],
    ['an unknown kind', { ...good, kind: 'other' }],
    ['no change', { format: 1, kind: 'change' }],
    ['an id that is none', { ...good, change: { ...change, id: 0 } }],
    ['a version that is none', { ...good, change: { ...change, version: 1.5 } }],
    ['a base that is none', { ...good, change: { ...change, base: {} } }],
    ['an unknown operation', { ...good, change: { ...change, op: 'upsert' } }],
    ['a deletion with a record', { ...good, change: { ...change, op: 'delete' } }],
    ['an update without one', { ...good, change: { ...change, record: null } }],
    ['a key without outcome', { format: 1, kind: 'key', key: { ...key.key, outcome: 3 } }],
  ])('%s', (_, data) => {
    expect(readJobData(data)).toMatchObject({ ok: false, problem: expect.any(String) });
  });
});

test('an item that jsonb could not hold is refused before it reaches the queue', () => {
  const bad = { ...change, record: '{"notes":"\0"}' };
  expect(() => toJobData({ kind: 'change', change: bad })).toThrow(/can't be queued/);
});
