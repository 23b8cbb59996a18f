import { loadCollections } from '@tandem/storage/collections';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Api, apiOver, STORE_NAMES } from '../testing/api-over.ts';
import { bodyWith, recordRequests } from '../testing/record-requests.ts';

//  Which values are kept, exactly, and which are refused. One store for all of them.

const collections = await loadCollections();
const cases = STORE_NAMES.flatMap((store) =>
  collections.map((collection) => ({ store, collection, name: collection.name })),
);

describe.each(cases)('values of $name over $store', ({ store, collection, name }) => {
  let api: Api;
  beforeAll(async () => {
    api = await apiOver(store, collections);
  });
  afterAll(() => api.close());
  const { call, create, recordText } = recordRequests(() => api, collection);

  test('SQL in a value is a text like any other, also under a key and in a condition', async () => {
    for (const sql of ["'; DROP TABLE expenses; --", "$1 ' OR '1'='1", '\\\\x27; --']) {
      const notes = JSON.stringify(sql);
      const key = { 'idempotency-key': sql.replaceAll(' ', '') };
      const created = await call('POST', '', bodyWith({ notes, category: notes }), key);
      const { id } = created.json()[name];
      expect((await call('GET', `/${id}`)).json()).toMatchObject({ notes: sql, category: sql });
      const tag = { 'if-match': `"${sql.replaceAll(/[^!-~]|"/g, '')}"` };
      expect((await call('DELETE', `/${id}`, undefined, tag)).statusCode).toBe(412);
      expect((await call('POST', '/bulk-delete', `{"ids":[${notes}]}`)).statusCode).toBe(422);
    }
  });

  /** Expects a refusal that writes nothing. */
  async function expectInvalid(body: string, fields: readonly string[]): Promise<void> {
    const before = (await call('GET')).body;
    const response = await call('POST', '', body);
    expect(response.statusCode).toBe(422);
    expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    expect(response.json()).toMatchObject({ type: '/problems/invalid', status: 422 });
    expect(response.json().errors.map(({ field }: { field: string }) => field)).toEqual(fields);
    for (const field of fields) expect(response.json().detail).toContain(`${field} `);
    expect((await call('GET')).body).toBe(before);
  }

  test.each([
    ['150.50', '150.5'],
    ['"150.50"', '150.5'],
    ['" 7 "', '7'],
    ['-0', '0'],
    ['-0.10', '-0.1'],
    ['1e2', '100'],
    ['99999999.99', '99999999.99'],
    ['-99999999.99', '-99999999.99'],
    ['0.10000000000000000000', '0.1'],
  ])('I8: the amount %s is kept exactly as %s', async (sent, amount) => {
    const response = await call('POST', '', bodyWith({ amount: sent }));
    const id = response.json()[name].id;
    expect(response.body).toBe(`{"status":"created","${name}":${recordText(id, { amount })}}`);
    expect((await call('GET', `/${id}`)).body).toBe(recordText(id, { amount }));
  });

  test.each([
    '0.1000000000000000055',
    '1.005',
    '"1.005"',
    '100000000',
    '1e999999999',
    '"abc"',
    '"NaN"',
    '"Infinity"',
    '"0x10"',
    '""',
    'true',
    '[1]',
    '{"rawJSON":"1"}',
    'null',
    undefined,
  ])('I8: the amount %s is 422, never rounded', (amount) =>
    expectInvalid(bodyWith({ amount }), ['amount']),
  );

  test.each([
    '"2025-02-29"',
    '"2025-13-01"',
    '"2025-1-1"',
    '"07.12.2025"',
    '""',
    '20251207',
    'null',
  ])('the date %s is 422', (date) => expectInvalid(bodyWith({ date }), ['date']));

  test.each(['"2024-02-29"', '"0001-01-01"', '"9999-12-31"'])(
    'the date %s is kept',
    async (date) => {
      const id = await create({ date });
      expect((await call('GET', `/${id}`)).body).toBe(recordText(id, { date }));
    },
  );

  test('I8: strings are kept as sent, up to 64 KiB', async () => {
    const notes = JSON.stringify(`${'א'.repeat(32_767)}ab`);
    const odd = '  \ttabs\r\n"quotes" \\ / \\u0000 \u2028 \u007f 😀 שלום é e\u0301 ';
    const category = JSON.stringify(odd);
    const id = await create({ notes, category });
    expect((await call('GET', `/${id}`)).body).toBe(recordText(id, { notes, category }));
  });

  test.each([
    ['longer than 64 KiB', JSON.stringify('א'.repeat(32_769))],
    ['with NUL', '"a\\u0000b"'],
    ['with a lone surrogate', '"a\\ud800b"'],
    ['that is none', '17'],
  ])('a string %s is 422', (_what, notes) => expectInvalid(bodyWith({ notes }), ['notes']));

  test('every wrong field is named', () =>
    expectInvalid('{"date":"x","amount":"y","notes":5}', [
      'date',
      'category',
      'amount',
      'account',
      'notes',
    ]));

  test.each(['null', undefined])('the currency %s means ₪', async (currency) => {
    const id = await create({ currency });
    expect((await call('GET', `/${id}`)).body).toBe(recordText(id));
  });

  test('unknown properties, id, version and epoch do not count, and pollute nothing', async () => {
    const more = { id: '77', version: '9', epoch: '9', extra: '{"a":1}', constructor: '1' };
    const body = bodyWith(more).replace('{', '{"__proto__":{"notes":"polluted"},');
    const response = await call('POST', '', body);
    const id = response.json()[name].id;
    expect(id).not.toBe(77);
    expect(response.body).toBe(`{"status":"created","${name}":${recordText(id)}}`);
    expect((await call('GET', `/${id}`)).headers.etag).toBe('"1-1"');
    expect('notes' in {}).toBe(false);
  });

  test.each(['id', 'version', 'epoch', 'extra', 'Notes', '', 'constructor', '__proto__'])(
    'PATCH of "%s" is 400: it is not a field',
    async (field) => {
      const id = await create();
      const response = await call('PATCH', `/${id}`, JSON.stringify({ field, value: 1 }));
      expect(response.statusCode).toBe(400);
      expect(response.json()).toMatchObject({ type: '/problems/not-a-field' });
      expect((await call('GET', `/${id}`)).headers.etag).toBe('"1-1"');
    },
  );

  test.each([
    ['PATCH', '{"value":"x"}'],
    ['PATCH', '{"field":"notes"}'],
    ['PATCH', '{"field":5,"value":"x"}'],
    ['PATCH', '{"field":"date","value":null}'],
    ['PATCH', '{"field":"date","value":"soon"}'],
    ['PATCH', '{"field":"amount","value":0.001}'],
    ['PATCH', '{"field":"notes","field":"notes","value":"x"}'],
    ['PATCH', '[]'],
    ['PUT', '{"notes":"new","amount":0.001}'],
    ['PUT', '{"account":null}'],
    ['PUT', '[]'],
  ] as const)('%s with %s is 422 and changes nothing', async (method, body) => {
    const id = await create();
    const response = await call(method, `/${id}`, body);
    expect(response.statusCode).toBe(422);
    expect((await call('GET', `/${id}`)).headers.etag).toBe('"1-1"');
  });

  test.each([
    '{"ids":"1"}',
    '{"ids":["1"]}',
    '{"ids":[1.5]}',
    '{"ids":[null]}',
    '{"ids":[1,[2]]}',
    '{"ids":{"0":1}}',
    '{}',
    '[1]',
    `{"ids":[${Array.from({ length: 10_001 }, () => 1).join(',')}]}`,
  ])('a bulk deletion with wrong ids is 422 (%#) and deletes nothing', async (body) => {
    const before = (await call('GET')).body;
    expect((await call('POST', '/bulk-delete', body)).statusCode).toBe(422);
    expect((await call('GET')).body).toBe(before);
  });

  test.each([
    '0',
    '01',
    '-1',
    '1.5',
    '1e0',
    'abc',
    '2147483647',
    '2147483648',
    '99999999999',
    '1%00',
  ])('the id %s is 404 for every method', async (id) => {
    await create();
    for (const [method, body] of [
      ['GET'],
      ['PATCH', '{"field":"notes","value":"x"}'],
      ['PUT', '{"notes":"x"}'],
      ['DELETE'],
    ] as const) {
      const response = await call(method, `/${id}`, body);
      expect(response.statusCode).toBe(404);
      expect(response.json()).toMatchObject({ type: '/problems/not-found', status: 404 });
    }
  });
});
