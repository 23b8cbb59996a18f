import { loadCollections } from '@tandem/storage/collections';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Api, apiOver, STORE_NAMES } from '../testing/api-over.ts';
import { bodyWith, recordRequests } from '../testing/record-requests.ts';

//  The record API (DESIGN.md, section 4) over each real store, for each collection alike. Every test
//  begins with an empty store, so ids begin at 1.

const collections = await loadCollections();
const cases = STORE_NAMES.flatMap((store) =>
  collections.map((collection) => ({ store, collection, name: collection.name })),
);

describe.each(cases)('$name over $store', ({ store, collection, name }) => {
  let api: Api;
  beforeEach(async () => {
    api = await apiOver(store, collections);
  });
  afterEach(() => api.close());
  const { path, call, create, recordText } = recordRequests(() => api, collection);

  test('POST answers the record with optional fields filled in', async () => {
    const response = await call('POST', '', bodyWith());
    expect(response.statusCode).toBe(200);
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(response.body).toBe(`{"status":"created","${name}":${recordText(1)}}`);
    expect((await call('GET', '/1')).body).toBe(recordText(1));
  });

  const DAYS = ['2025-12-07', '2024-02-29', '2025-12-07', '2026-01-01', '2025-12-07', '0001-01-01'];
  const IN_ORDER = [4, 5, 3, 1, 2, 6];

  test('the list is a bare array, newest date first, then highest id', async () => {
    const empty = await call('GET');
    expect(empty.statusCode).toBe(200);
    expect(empty.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(empty.body).toBe('[]');
    for (const day of DAYS) await create({ date: `"${day}"` });
    const texts = IN_ORDER.map((id) => recordText(id, { date: `"${DAYS[id - 1]}"` }));
    expect((await call('GET')).body).toBe(`[${texts.join(',')}]`);
  });

  test('pages follow their links to the same list', async () => {
    for (const day of DAYS) await create({ date: `"${day}"` });
    for (const limit of [1, 2, 4, 6, 1000]) {
      const ids: number[] = [];
      let query: string | undefined = `?limit=${limit}`;
      while (query !== undefined) {
        const response = await call('GET', query);
        expect(response.statusCode).toBe(200);
        const records: { id: number }[] = response.json();
        ids.push(...records.map(({ id }) => id));
        expect(ids.length).toBeLessThanOrEqual(DAYS.length);
        const link = String(response.headers.link ?? '');
        query = /^<\/api\/v1\/\w+(\?.*)>; rel="next"$/.exec(link)?.[1];
        if (query !== undefined) expect(records).toHaveLength(limit);
      }
      expect(ids).toEqual(IN_ORDER);
    }
    for (const query of ['?limit=0', '?limit=1001', '?limit=1&limit=2', '?cursor=x']) {
      expect((await call('GET', query)).statusCode).toBe(422);
    }
  });

  test('HEAD has the headers of GET and no body', async () => {
    await create();
    const get = await call('GET', '/1');
    const head = await call('HEAD', '/1');
    expect(head.headers.etag).toBe(get.headers.etag);
    expect(head.headers['content-length']).toBe(get.headers['content-length']);
    for (const url of ['/1', '', '?limit=1']) {
      const response = await call('HEAD', url);
      expect(response.statusCode).toBe(200);
      expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
      expect(response.body).toBe('');
    }
  });

  test('GET has an entity tag that moves with the record; a good copy is 304', async () => {
    const id = await create();
    for (const tag of ['"1-1"', 'W/"1-1"', '"0-0", "1-1"', '*']) {
      const response = await call('GET', `/${id}`, undefined, { 'if-none-match': tag });
      expect(response.statusCode).toBe(304);
      expect(response.body).toBe('');
      expect(response.headers.etag).toBe('"1-1"');
    }
    await call('PATCH', `/${id}`, '{"field":"notes","value":"new"}');
    const moved = await call('GET', `/${id}`, undefined, { 'if-none-match': '"1-1"' });
    expect(moved.statusCode).toBe(200);
    expect(moved.headers.etag).toBe('"1-2"');
    expect(moved.body).toBe(recordText(id, { notes: '"new"' }));
  });

  test('a write has the entity tag of the record in its answer: the next can be conditional', async () => {
    const created = await call('POST', '', bodyWith());
    expect(created.headers.etag).toBe('"1-1"');
    const etag = { 'if-match': String(created.headers.etag) };
    const patch = await call('PATCH', '/1', '{"field":"notes","value":"a"}', etag);
    expect(patch.headers.etag).toBe('"1-2"');
    const put = await call('PUT', '/1', '{}', { 'if-match': String(patch.headers.etag) });
    expect(put.headers.etag).toBe('"1-3"');
    expect((await call('GET', '/1')).headers.etag).toBe('"1-3"');
    expect((await call('DELETE', '/1', undefined, etag)).statusCode).toBe(412);
  });

  test('PATCH sets one field', async () => {
    const id = await create({ notes: '"old"', currency: '"$"' });
    const text = { notes: '"old"', currency: '"$"' };
    for (const [field, value, kept] of [
      ['amount', '"-2.50"', '-2.5'],
      ['date', '"2026-01-31"', '"2026-01-31"'],
      ['currency', 'null', '"₪"'],
      ['notes', 'null', 'null'],
    ] as const) {
      Object.assign(text, { [field]: kept });
      const response = await call('PATCH', `/${id}`, `{"field":"${field}","value":${value}}`);
      expect(response.statusCode).toBe(200);
      expect(response.body).toBe(`{"status":"updated","${name}":${recordText(id, text)}}`);
      expect((await call('GET', `/${id}`)).body).toBe(recordText(id, text));
    }
  });

  test('PUT sets a subset, the other fields stay', async () => {
    const id = await create({ notes: '"kept"', currency: '"$"' });
    const response = await call(
      'PUT',
      `/${id}`,
      '{"amount":"3.10","account":"Bank","id":99,"x":1}',
    );
    const changed = { amount: '3.1', account: '"Bank"', currency: '"$"', notes: '"kept"' };
    expect(response.statusCode).toBe(200);
    expect(response.body).toBe(`{"status":"updated","${name}":${recordText(id, changed)}}`);
    expect((await call('PUT', `/${id}`, '{}')).body).toBe(response.body);
  });

  test('DELETE removes a record; I9: its id is never given again', async () => {
    const id = await create();
    const json = { 'content-type': 'application/json' };
    const response = await call('DELETE', `/${id}`, undefined, json);
    expect(response.statusCode).toBe(200);
    expect(response.body).toBe(`{"status":"deleted","id":${id}}`);
    expect((await call('GET', `/${id}`)).statusCode).toBe(404);
    expect((await call('DELETE', `/${id}`)).statusCode).toBe(404);
    expect(await create()).toBe(id + 1);
  });

  test('a bulk deletion counts duplicates once and skips unknown ids', async () => {
    for (let n = 0; n < 4; n++) await create();
    const ids = '{"ids":[1,3,3,1,9,0,-4,2147483648,99999999999999999999]}';
    const response = await call('POST', '/bulk-delete', ids);
    expect(response.statusCode).toBe(200);
    expect(response.body).toBe('{"status":"deleted","count":2}');
    expect((await call('GET')).body).toBe(`[${recordText(4)},${recordText(2)}]`);
    const none = await call('POST', '/bulk-delete', '{"ids":[]}');
    expect(none.body).toBe('{"status":"deleted","count":0}');
    const most = JSON.stringify({ ids: Array.from({ length: 10_000 }, (_, at) => at) });
    expect((await call('POST', '/bulk-delete', most)).body).toBe('{"status":"deleted","count":2}');
  });

  const writes = [
    ['PATCH', '{"field":"notes","value":"x"}'],
    ['PUT', '{"notes":"x"}'],
    ['DELETE', undefined],
  ] as const;

  test.each(writes)('%s under If-Match happens in that state only', async (method, body) => {
    const id = await create();
    for (const [tag, status] of [
      ['"1-2"', 412],
      ['W/"1-1"', 412],
      ['"other"', 412],
      ['1-1', 422],
    ] as const) {
      const response = await call(method, `/${id}`, body, { 'if-match': tag });
      expect(response.statusCode).toBe(status);
      expect(response.headers['content-type']).toMatch(/^application\/problem\+json/);
    }
    expect((await call('GET', `/${id}`)).headers.etag).toBe('"1-1"');
    expect((await call(method, '/99', body, { 'if-match': '*' })).statusCode).toBe(404);
    for (const tag of ['"1-1"', '"0-9", "1-1"', '*']) {
      const another = await create();
      const response = await call(method, `/${another}`, body, { 'if-match': tag });
      expect(response.statusCode).toBe(200);
    }
  });

  test('collections are apart', async () => {
    await create();
    for (const other of collections.filter((one) => one !== collection)) {
      expect((await api.app.inject(`/api/v1/${other.name}`)).body).toBe('[]');
    }
    expect((await api.app.inject(path)).json()).toHaveLength(1);
  });
});
