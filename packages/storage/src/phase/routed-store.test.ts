import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { JsonStore } from '../json/index.ts';
import { freshDirectory, open } from '../testing/json-fixture.ts';
import { type OpenedPostgres, openTestStore } from '../testing/postgres-fixture.ts';
import { create, expense, valuesOf } from '../testing/store-fixture.ts';
import { RoutedStore, type RoutedStoreOptions } from './routed-store.ts';

let postgres: OpenedPostgres;
beforeAll(async () => {
  postgres = await openTestStore('postgres-only');
});
afterAll(() => postgres.close());

async function routed(options: RoutedStoreOptions = {}): Promise<[RoutedStore, JsonStore]> {
  const json = await open(await freshDirectory());
  const store = new RoutedStore(options);
  store.serve(json);
  return [store, json];
}

const write = (store: RoutedStore) =>
  store.write({ command: { op: 'create', collection: expense, values: valuesOf() } });

describe('while the primary is being switched', () => {
  test('I3: a write refused by the sealed store waits, and is done once, by the next primary', async () => {
    const refusals: number[] = [];
    const [store, json] = await routed({ onNotPrimary: () => refusals.push(1) });
    await create(json);
    await json.phase.update({ sealed: true });
    const writes = [write(store), write(store), write(store)];
    await expect.poll(() => store.waiting).toBe(3);
    expect(refusals).toHaveLength(3);
    store.serve(postgres.store);
    const outcomes = await Promise.all(writes);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['created', 'created', 'created']);
    expect(await json.scan(expense, 0, 10)).toHaveLength(1);
    expect(await postgres.store.scan(expense, 0, 10)).toHaveLength(3);
  });

  test('reads go on while writes are held, and wait too when all is held', async () => {
    const [store, json] = await routed();
    const { id } = await create(json);
    store.hold('writes');
    expect((await store.get(expense, id))?.id).toBe(id);
    const held = write(store);
    store.hold('all');
    const read = store.get(expense, id);
    expect(store.waiting).toBeGreaterThan(0);
    store.serve(json);
    expect((await read)?.id).toBe(id);
    expect((await held).kind).toBe('created');
  });

  test('a write that waits too long is refused, and has no effect later', async () => {
    const [store, json] = await routed({ holdTimeoutMs: 20 });
    store.hold('writes');
    await expect(write(store)).rejects.toMatchObject({ code: 'unavailable' });
    expect(store.waiting).toBe(0);
    store.serve(json);
    expect(await json.scan(expense, 0, 10)).toEqual([]);
  });

  test('nothing served is said with its reason', async () => {
    const store = new RoutedStore();
    await expect(store.get(expense, 1)).rejects.toThrow('The service is starting.');
    store.refuse('Held by api 7.');
    await expect(write(store)).rejects.toThrow('Held by api 7.');
    store.hold('all');
    await expect(write(store)).rejects.toThrow('Held by api 7.');
  });
});
