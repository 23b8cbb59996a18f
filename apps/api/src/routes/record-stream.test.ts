import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { loadCollections, readCreate } from '@tandem/storage/collections';
import type { Store } from '@tandem/storage/store';
import { until } from '@tandem/storage/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Api, apiOver, STORE_NAMES } from '../testing/api-over.ts';

//  A list too long for one string or one socket buffer, over real HTTP.

const collections = await loadCollections();
const RECORDS = 300;
/** Together about 19 MB: more than the buffers of both ends hold. */
const NOTES = 'n'.repeat(65_000);

describe.each(STORE_NAMES)('a long list over %s', (name) => {
  let api: Api;
  let url: URL;
  /** Iterations of lists that have begun and have not ended. */
  let listing = 0;
  /** Comes where a list would end. */
  let failure: Error | undefined;

  beforeEach(async () => {
    listing = 0;
    failure = undefined;
    api = await apiOver(name, collections);
    watchLists(api.store);
    await fill(api.store);
    url = new URL('/api/v1/expense', await api.app.listen({ host: '127.0.0.1', port: 0 }));
  });
  afterEach(() => api.close());

  /** Makes it seen when a list is not read to its end. */
  function watchLists(store: Store): void {
    const list = store.list.bind(store);
    store.list = async function* watched(collection) {
      listing++;
      try {
        yield* list(collection);
        if (failure !== undefined) throw failure;
      } finally {
        listing--;
      }
    };
  }

  async function fill(store: Store): Promise<void> {
    const collection = collections.find((one) => one.name === 'expense');
    if (collection === undefined) throw new Error('There is no expense.');
    const body = { date: '2025-12-07', category: 'c', amount: '1', account: 'a', notes: NOTES };
    const input = readCreate(collection, body);
    if (!input.ok) throw new Error(JSON.stringify(input.problems));
    const command = { op: 'create', collection, values: input.values } as const;
    await Promise.all(Array.from({ length: RECORDS }, () => store.write({ command })));
  }

  async function get(target: URL): Promise<IncomingMessage> {
    const [response] = await once(request(target, { agent: false }).end(), 'response');
    return response;
  }

  test('arrives whole, in chunks, and so does a long page', async () => {
    const response = await get(url);
    expect(response.headers['transfer-encoding']).toBe('chunked');
    const whole = await text(response);
    const records: { id: number; notes: string }[] = JSON.parse(whole);
    expect(records.map(({ id }) => id)).toEqual(
      Array.from({ length: RECORDS }, (_, at) => RECORDS - at),
    );
    expect(records.every(({ notes }) => notes === NOTES)).toBe(true);
    const page = await text(await get(new URL('?limit=1000', url)));
    // Not `toBe`: nobody wants to read 19 MB of difference.
    expect(page === whole).toBe(true);
    expect(listing).toBe(0);
  });

  test('ends for the store too when its client goes away', async () => {
    const response = await get(url);
    await once(response, 'readable');
    expect(listing).toBe(1);
    response.destroy();
    await until('the list ended', () => listing === 0);
    await until('it was logged', () =>
      api.lines.some(({ msg }) => String(msg).startsWith('client went away')),
    );
    expect((await fetch(new URL('?limit=1', url))).status).toBe(200);
  });

  test('a slow client does not hold others up', async () => {
    const slow = await get(url);
    await once(slow, 'readable');
    expect(((await (await fetch(url)).json()) as unknown[]).length).toBe(RECORDS);
    expect((await fetch(new URL('/api/v1/expense/1', url))).status).toBe(200);
    expect(JSON.parse(await text(slow))).toHaveLength(RECORDS);
  });

  test('one that breaks off is no JSON, and the connection ends', async () => {
    failure = new Error('the store broke off');
    const response = await get(url);
    expect(response.statusCode).toBe(200);
    await expect(text(response)).rejects.toThrow('aborted');
    expect(listing).toBe(0);
    await until('it was logged', () =>
      api.lines.some(({ msg }) => msg === 'answer was broken off'),
    );
  });
});
