import { loadCollections } from '@tandem/storage/collections';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Api, apiOver, STORE_NAMES } from '../testing/api-over.ts';

const collections = await loadCollections();
const EXPENSE = '{"date":"2025-12-07","category":"Groceries","amount":1,"account":"Cash"}';

describe.each(STORE_NAMES)('Idempotency-Key over %s', (store) => {
  let api: Api;
  beforeEach(async () => {
    api = await apiOver(store, collections);
  });
  afterEach(() => api.close());

  const write = (
    method: 'POST' | 'PATCH' | 'PUT' | 'DELETE',
    path: string,
    key: string,
    body?: string,
  ) =>
    api.app.inject({
      method,
      url: `/api/v1${path}`,
      headers: {
        'idempotency-key': key,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { payload: body }),
    });
  const count = async () => (await api.app.inject('/api/v1/expense')).json().length;

  test('I10: the same key and body have one effect and the same answer, to the byte', async () => {
    const requests: Parameters<typeof write>[] = [
      ['POST', '/expense', 'create', EXPENSE],
      ['PATCH', '/expense/1', 'patch', '{"field":"notes","value":"a"}'],
      ['PUT', '/expense/1', 'put', '{"notes":"b"}'],
      ['PUT', '/expense/9', 'put-nothing', '{"notes":"b"}'],
      ['DELETE', '/expense/1', 'delete'],
      ['POST', '/expense/bulk-delete', 'bulk', '{"ids":[1]}'],
    ];
    const first = [];
    for (const request of requests) first.push(await write(...request));
    await api.app.inject({ method: 'DELETE', url: '/api/v1/expense/1' });
    for (const [at, request] of requests.entries()) {
      const again = await write(...request);
      expect(again.statusCode).toBe(first[at]?.statusCode);
      expect(again.body).toBe(first[at]?.body);
    }
    expect(first.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200, 404, 200, 200]);
    expect(await count()).toBe(0);
    expect((await write('POST', '/expense', 'another', EXPENSE)).json().expense.id).toBe(2);
  });

  test('I10: many at once have one effect', async () => {
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => write('POST', '/expense', 'k', EXPENSE)),
    );
    // In flight waits.
    expect(answers.map(({ statusCode }) => statusCode)).toEqual(Array(8).fill(200));
    expect(new Set(answers.map(({ body, headers }) => `${headers.etag} ${body}`)).size).toBe(1);
    expect(await count()).toBe(1);
  });

  test.each([
    ['another body', 'POST', '/expense', EXPENSE.replace('1,', '2,')],
    ['a body of other bytes', 'POST', '/expense', `${EXPENSE} `],
    ['another collection', 'POST', '/income', EXPENSE],
    ['another path', 'POST', '/expense/bulk-delete', '{"ids":[]}'],
    ['another method', 'DELETE', '/expense/1', undefined],
  ] as const)('I10: the same key with %s is 422', async (_what, method, path, body) => {
    await write('POST', '/expense', 'k', EXPENSE);
    const response = await write(method, path, 'k', body);
    expect(response.statusCode).toBe(422);
    expect(response.json()).toMatchObject({ type: '/problems/key-reused', status: 422 });
    expect(await count()).toBe(1);
  });

  test('one record and another are different requests', async () => {
    await write('POST', '/expense', 'a', EXPENSE);
    await write('POST', '/expense', 'b', EXPENSE);
    expect((await write('DELETE', '/expense/1', 'k')).statusCode).toBe(200);
    expect((await write('DELETE', '/expense/2', 'k')).statusCode).toBe(422);
  });

  test('a request that was invalid leaves its key free', async () => {
    expect((await write('POST', '/expense', 'k', '{}')).statusCode).toBe(422);
    expect((await write('POST', '/expense', 'k', EXPENSE)).statusCode).toBe(200);
  });

  test.each(['', 'two words', 'x'.repeat(256), 'é'])('the key %j is 422', async (key) => {
    const response = await write('POST', '/expense', key, EXPENSE);
    expect(response.statusCode).toBe(422);
    expect(response.json().errors[0].field).toBe('Idempotency-Key');
    expect(await count()).toBe(0);
  });

  test.each(['x'.repeat(255), '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'])(
    'the key %j is one',
    async (key) => {
      expect((await write('POST', '/expense', key, EXPENSE)).statusCode).toBe(200);
    },
  );
});
