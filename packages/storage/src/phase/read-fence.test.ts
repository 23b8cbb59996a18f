import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { TandemError } from '../errors.ts';
import type { PostgresStore } from '../postgres/index.ts';
import { MOVE, type OpenedPostgres, openTestStore } from '../testing/postgres-fixture.ts';
import { create, expense } from '../testing/store-fixture.ts';
import type { JsonPhaseState, PostgresPhaseState } from './index.ts';
import { readFence } from './index.ts';

/** More than a list reads in one statement. */
const MANY = 2_500;
const NOT_PRIMARY = { code: 'not-primary' };

let opened: OpenedPostgres;
let store: PostgresStore;
let manifest: JsonPhaseState | undefined;
let inspected = 0;

beforeEach(async () => {
  opened = await openTestStore('postgres-primary');
  onTestFinished(() => opened.close());
  manifest = undefined;
  inspected = 0;
  const inspectJson = async () => {
    inspected += 1;
    return manifest;
  };
  store = opened.store.fencedBy(readFence(inspectJson));
});

async function become(change: Partial<PostgresPhaseState>): Promise<number> {
  const { epoch } = await opened.store.phase.read();
  await opened.store.phase.advance(epoch, change, MOVE);
  return epoch;
}

const saysJson = (epoch: number) => ({ phase: 'json-primary', epoch }) as JsonPhaseState;

const listed = async (of: PostgresStore) => (await Array.fromAsync(of.list(expense))).flat();
const reads = (id: number) => [
  () => store.get(expense, id),
  () => store.get(expense, 99),
  () => store.page(expense, { limit: 2 }),
  () => store.page(expense, { limit: 2, after: { date: '', id: 7 } }),
  () => listed(store),
];

test('I6: as the primary it reads what it reads without a fence, in the same order, and asks nobody', async () => {
  for (const date of ['2025-03-01', '2025-01-01', '2025-02-01', '2025-03-01']) {
    await create(opened.store, { date });
  }
  expect(await listed(store)).toEqual(await listed(opened.store));
  expect(await store.get(expense, 2)).toEqual(await opened.store.get(expense, 2));
  expect(await store.get(expense, 99)).toBeUndefined();
  const page = await store.page(expense, { limit: 2 });
  expect(page).toEqual(await opened.store.page(expense, { limit: 2 }));
  expect(page.records.map(({ id }) => id)).toEqual([4, 1]);
  const next = { limit: 2, after: page.next ?? { date: '', id: 0 } };
  expect(await store.page(expense, next)).toEqual(await opened.store.page(expense, next));
  expect(inspected).toBe(0);
});

test('I6: sealed, it is read until the manifest says that JSON has committed', async () => {
  const { id } = await create(opened.store);
  const epoch = await become({ sealed: true });
  manifest = saysJson(epoch - 1);
  for (const read of reads(id)) await read();
  manifest = saysJson(epoch + 1);
  for (const read of reads(id)) await expect(read()).rejects.toMatchObject(NOT_PRIMARY);
  // On a machine without the manifest nobody can know.
  manifest = undefined;
  for (const read of reads(id)) await expect(read()).rejects.toMatchObject(NOT_PRIMARY);
});

test('I6: sealed, a later epoch counts whatever its phase, and a manifest that can not be read is no answer', async () => {
  const { id } = await create(opened.store);
  const epoch = await become({ sealed: true });
  // JSON was the primary and is not any more, while the reader slept between its rows and its look.
  manifest = { phase: 'postgres-primary', epoch: epoch + 2 } as JsonPhaseState;
  for (const read of reads(id)) await expect(read()).rejects.toMatchObject(NOT_PRIMARY);
  store = opened.store.fencedBy(
    readFence(() => Promise.reject(new TandemError('refused-to-open', 'Damaged.'))),
  );
  for (const read of reads(id)) await expect(read()).rejects.toMatchObject(NOT_PRIMARY);
});

test('I6: no longer the primary, it is not read, whatever the manifest says, nor is a list of many', async () => {
  const { id } = await create(opened.store);
  await opened.store.raiseIdHighWater({ expense: MANY });
  await opened.database.pool.query(
    `INSERT INTO expenses (id, epoch, version, date, category, amount, account)
     SELECT n, 1, 1, '2025-01-01', 'Food', 1, 'Cash' FROM generate_series(2, ${MANY}) AS n`,
  );
  const texts = await listed(store);
  expect(texts).toHaveLength(MANY);
  expect(texts).toEqual(await listed(opened.store));
  const epoch = await become({ epoch: 9, phase: 'json-primary' });
  manifest = { phase: 'postgres-primary', epoch } as JsonPhaseState;
  for (const read of reads(id)) await expect(read()).rejects.toMatchObject(NOT_PRIMARY);
  expect(await opened.store.get(expense, id)).toMatchObject({ id });
});
