import { afterEach, beforeEach, expect, test } from 'vitest';
import { MOVE, type OpenedPostgres, openTestStore } from '../testing/postgres-fixture.ts';
import { create, expense, expenseText, run } from '../testing/store-fixture.ts';

let opened: OpenedPostgres;
beforeEach(async () => {
  opened = await openTestStore('postgres-primary');
});
afterEach(() => opened.close());

test('I2, I4: edits become next versions and jobs in one transaction; what moved on is left', async () => {
  const { store, jobs } = opened;
  for (const notes of ['one', 'two', 'gone', 'moved']) await create(store, { notes });
  await run(store, { op: 'delete', collection: expense, id: 3 });
  const textOf = async (id: number) => (await store.get(expense, id))?.text ?? '';
  const before = jobs.length;
  const extra = '"tag":1.0,';
  const edit = [
    { id: 1, from: await textOf(1), to: expenseText(1, 'by hand', extra) },
    { id: 2, from: await textOf(2), to: null },
    { id: 3, from: null, to: expenseText(3, 'back') },
    { id: 4, from: expenseText(4, 'something else'), to: expenseText(4, 'by hand') },
    { id: 9, from: null, to: expenseText(9, 'new') },
    { id: 10, from: null, to: '{"date":"never","id":10}' },
  ];
  expect(await store.adoptDifferences('expense', edit)).toEqual({ conflicting: [4], unfit: [10] });
  expect(
    (await store.scan(expense, 0, 20)).map(({ id, version, text }) => [id, version, text]),
  ).toEqual([
    [1, 2, expenseText(1, 'by hand', extra)],
    [2, 2, null],
    [3, 3, expenseText(3, 'back')],
    [4, 1, await textOf(4)],
    [9, 1, expenseText(9, 'new')],
  ]);
  const sent = jobs.slice(before).map((item) => item.kind === 'change' && item.change);
  expect(sent).toMatchObject([
    { id: 1, op: 'update', version: 2, base: { version: 1 } },
    { id: 2, op: 'delete' },
    { id: 3, op: 'create', version: 3, base: { version: 2 } },
    { id: 9, op: 'create', version: 1, base: null },
  ]);
  // Again: nothing is left to do.
  expect(await store.adoptDifferences('expense', edit)).toEqual({ conflicting: [4], unfit: [10] });
  expect(jobs).toHaveLength(before + 4);
});

test('I9: ids for new records are above everything known, and never given again', async () => {
  const { store } = opened;
  await create(store);
  await store.adoptDifferences('expense', [{ id: 7, from: null, to: expenseText(7, 'by hand') }]);
  expect(await store.takeIds('expense', 2, 3)).toEqual([8, 9]);
  expect(await store.takeIds('expense', 1, 20)).toEqual([21]);
  expect((await create(store)).id).toBe(22);
});

test('I3: a PostgreSQL that is not the primary takes no edits', async () => {
  const { store } = opened;
  await store.phase.advance(1, { phase: 'json-primary', epoch: 2 }, MOVE);
  const edit = [{ id: 1, from: null, to: expenseText(1, 'x') }];
  const refused = { code: 'not-primary' };
  await expect(store.adoptDifferences('expense', edit)).rejects.toMatchObject(refused);
  await expect(store.takeIds('expense', 1, 0)).rejects.toMatchObject(refused);
});
