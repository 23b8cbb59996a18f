import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest';
import type { Change, Item } from '../changes/index.ts';
import { type OpenedPostgres, openTestStore } from '../testing/postgres-fixture.ts';
import {
  allEntries,
  allTexts,
  changeOf,
  expense,
  expenseText,
  randomFrom,
  seedOf,
  shuffled,
} from '../testing/store-fixture.ts';
import { divergenceLedger } from './index.ts';

let opened: OpenedPostgres;
beforeEach(async () => {
  opened = await openTestStore('json-primary');
});
afterEach(() => opened.close());

const item = (change: Change): Item => ({ kind: 'change', change });
const FIRST = { epoch: 1, version: 1 };
const created = (id: number, notes = 'n'): Change =>
  changeOf(id, FIRST, null, expenseText(id, notes));

test('one poisoned record of 500 is rejected alone, with its cause', async () => {
  const { store, database } = opened;
  await database.pool.query(
    `ALTER TABLE expenses ADD CONSTRAINT no_poison CHECK (notes <> 'poison')`,
  );
  const changes = Array.from({ length: 500 }, (_, index) =>
    created(index + 1, index === 321 ? 'poison' : `n${index}`),
  );
  const results = await store.apply(changes.map(item));
  const rejected = results.filter(({ verdict }) => verdict === 'rejected');
  expect(rejected).toHaveLength(1);
  expect(results[321]).toEqual({
    verdict: 'rejected',
    permanent: true,
    error: 'new row for relation "expenses" violates check constraint "no_poison".',
  });
  expect(await allTexts(store)).toHaveLength(499);
});

test('a bad change between two good ones of its record leaves the newest good one', async () => {
  const { store, database } = opened;
  await database.pool.query(
    `ALTER TABLE expenses ADD CONSTRAINT no_poison CHECK (notes <> 'poison')`,
  );
  const two = { epoch: 1, version: 2 };
  const three = { epoch: 1, version: 3 };
  const chain = [
    created(1),
    changeOf(1, two, FIRST, expenseText(1, 'poison')),
    changeOf(1, three, two, expenseText(1, 'mended')),
  ] as const;
  const first = await store.apply([item(chain[0]), item(chain[1])]);
  expect(first.map(({ verdict }) => verdict)).toEqual(['apply', 'rejected']);
  expect((await store.get(expense, 1))?.version).toBe(1);
  expect((await store.apply(chain.map(item))).map(({ verdict }) => verdict)).toEqual([
    ...['no-op', 'apply', 'apply'],
  ]);
  expect((await store.get(expense, 1))?.text).toBe(expenseText(1, 'mended'));
});

test('I4: both sides of a fork and of a conflict are kept, once, however often they arrive', async () => {
  const { store, database } = opened;
  const incoming = { ...created(1), record: expenseText(1, 'there') };
  const fork = changeOf(1, { epoch: 2, version: 1 }, null, expenseText(1, 'fork'));
  await store.apply([item(created(1, 'here'))]);
  for (let round = 0; round < 3; round++) {
    const results = await store.apply([item(incoming), item(fork)]);
    expect(results.map(({ verdict }) => verdict)).toEqual(['conflict', 'fork']);
  }
  const found = await divergenceLedger(database.pool).find({ isOpen: true }, { limit: 10 });
  expect(
    found.map(({ class: name, primary, secondary, foundBy, into, kind }) => ({
      ...{ class: name, primary, secondary, foundBy, into, kind },
    })),
  ).toEqual([of('conflict', incoming), of('fork', fork)]);
  const { rows } = await database.pool.query('SELECT incoming FROM divergences ORDER BY id');
  expect(rows.map((row) => JSON.parse(row.incoming))).toEqual([incoming, fork]);
  function of(name: string, { epoch, version, record }: Change) {
    return {
      ...{ class: name, foundBy: 'apply', into: 'postgres', kind: 'different' },
      primary: { epoch, version, text: record },
      secondary: { ...FIRST, text: expenseText(1, 'here') },
    };
  }
});

test('a state that follows a tombstone makes the record live again', async () => {
  const { store } = opened;
  const two = { epoch: 1, version: 2 };
  const three = { epoch: 2, version: 3 };
  await store.apply([item(changeOf(1, two, FIRST, null))]);
  await store.apply([item(changeOf(1, three, two, expenseText(1, 'mended')))]);
  expect(await allEntries(store)).toEqual([{ id: 1, ...three, text: expenseText(1, 'mended') }]);
  await store.apply([item(changeOf(1, { epoch: 2, version: 4 }, three, null))]);
  expect(await allEntries(store)).toEqual([{ id: 1, epoch: 2, version: 4, text: null }]);
});

test('what no table can hold is rejected: an unknown collection, an id beyond an integer', async () => {
  const { store } = opened;
  const results = await store.apply([
    item({ ...created(1), collection: 'journey' }),
    item(created(2 ** 31)),
    item(created(2)),
  ]);
  expect(results).toEqual([
    { verdict: 'rejected', permanent: true, error: 'There is no collection journey.' },
    {
      verdict: 'rejected',
      permanent: true,
      error: 'expense 2147483648: the id is beyond a PostgreSQL integer.',
    },
    { verdict: 'apply' },
  ]);
});

test('a table that is missing fails the call, not the items', async () => {
  await opened.database.pool.query('ALTER TABLE expenses RENAME TO elsewhere');
  await expect(opened.store.apply([item(created(1))])).rejects.toMatchObject({
    code: 'storage-failed',
  });
});

test('I4: a deletion and an older change applied at once by two processes leave the deletion', async () => {
  const other = opened.another();
  const ids = Array.from({ length: 60 }, (_, index) => index + 1);
  const two = { epoch: 1, version: 2 };
  for (const id of ids) {
    await Promise.all([
      opened.store.apply([item(changeOf(id, two, FIRST, null))]),
      other.apply([item(created(id))]),
    ]);
  }
  expect(await allEntries(opened.store)).toEqual(ids.map((id) => ({ id, ...two, text: null })));
});

test('I4: several processes applying overlapping, shuffled changes end in the newest states', async () => {
  const seed = seedOf();
  onTestFailed(() => console.error(`TANDEM_SEED=${seed}`));
  const random = randomFrom(seed);
  const chains = Array.from({ length: 60 }, (_, index) => {
    const id = index + 1;
    const length = 1 + Math.floor(random() * 5);
    return Array.from({ length }, (_unused, step) => {
      const dies = step === length - 1 && random() < 0.4;
      const base = step === 0 ? null : { epoch: 1, version: step };
      const record = dies ? null : expenseText(id, `v${step + 1}`);
      return changeOf(id, { epoch: 1, version: step + 1 }, base, record);
    });
  });
  const appliers = [opened.store, opened.another(), opened.another()].map(async (store) => {
    const queue = shuffled(chains.flat(), random).map(item);
    while (queue.length > 0) {
      for (const { verdict } of await store.apply(queue.splice(0, 25))) {
        expect(['apply', 'no-op']).toContain(verdict);
      }
    }
  });
  await Promise.all(appliers);
  expect(await allEntries(opened.store)).toEqual(
    chains.map((chain) => {
      const { id, epoch, version, record } = chain.at(-1) as Change;
      return { id, epoch, version, text: record };
    }),
  );
});
