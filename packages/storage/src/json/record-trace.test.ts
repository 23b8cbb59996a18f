import { truncate } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { compareStamps, type Stamp } from '../changes/index.ts';
import {
  filesBelow,
  freshDirectory,
  open,
  segmentsOf,
  writeLegacy,
} from '../testing/json-fixture.ts';
import { below, pickOf } from '../testing/seeded-random.ts';
import {
  create,
  expense,
  income,
  randomFrom,
  run,
  seedOf,
  setOf,
  valuesOf,
} from '../testing/store-fixture.ts';
import { jsonRecords } from './record-trace.ts';

test('a record is traced as the store holds it, beside checkpoints and writes, touching nothing', async () => {
  const seed = seedOf();
  const random = randomFrom(seed);
  const directory = await freshDirectory();
  const store = await open(directory);
  await store.phase.update({ phase: 'json-primary', epoch: 2 });
  const records = jsonRecords(directory);
  const step = async (): Promise<void> => {
    const collection = pickOf(random, [expense, income]);
    const id = 1 + below(random, 6);
    const dice = random();
    if (dice < 0.3) await create(store, {}, collection);
    else if (dice < 0.85) {
      const set = setOf({ amount: String(below(random, 100)) }, collection);
      await run(store, { op: 'update', collection, id, set });
    } else await run(store, { op: 'delete', collection, id });
  };
  for (let round = 0; round < 12; round++) {
    for (let steps = below(random, 12); steps > 0; steps--) await step();
    if (random() < 0.5) store.outbox.relayed(below(random, store.outbox.head() + 1));
    if (random() < 0.5) await store.checkpoint();
    for (const collection of [expense, income]) {
      const id = 1 + below(random, 7);
      const [held] = await store.entries(collection, [id]);
      const { entry, fits, changes } = await records.trace({ collection: collection.name, id });
      expect({ entry, fits }, `seed ${seed}, round ${round}`).toEqual({ entry: held, fits: true });
      const last = changes.at(-1);
      if (last !== undefined && held !== undefined) {
        expect(compareStamps(last.change, held), `seed ${seed}`).toBe(0);
      }
    }
  }
  const { id } = await create(store);
  let over = false;
  const writing = (async () => {
    while (!over) {
      await run(store, {
        op: 'update',
        collection: expense,
        id,
        set: setOf({ notes: `${random()}` }),
      });
      if (random() < 0.2) await store.checkpoint();
    }
  })();
  const seen: Stamp[] = [];
  try {
    for (let looks = 0; looks < 20; looks++) {
      const [before] = await store.entries(expense, [id]);
      const { entry } = await records.trace({ collection: 'expense', id });
      if (before === undefined || entry === undefined) throw new Error('Gone.');
      expect(compareStamps(before, entry), `seed ${seed}`).toBeLessThanOrEqual(0);
      seen.push(entry);
    }
  } finally {
    over = true;
    await writing;
  }
  // A batch is seen as soon as it is written, a moment before it is durable and the store holds it.
  const [last] = await store.entries(expense, [id]);
  const stamps = last === undefined ? [] : [...seen, last];
  expect(stamps, `seed ${seed}`).toEqual(stamps.toSorted(compareStamps));
  const files = await filesBelow(directory);
  await records.trace({ collection: 'expense', id });
  expect(await filesBelow(directory)).toEqual(files);
});

test('the changes that stand in the journal are told with their place in the outbox and their key', async () => {
  const directory = await freshDirectory();
  const store = await open(directory);
  await store.phase.update({ phase: 'json-primary', epoch: 2 });
  const command = { op: 'create', collection: expense, values: valuesOf() } as const;
  await store.write({ command, key: { key: 'k1', fingerprint: 'f' } });
  await create(store);
  await run(store, { op: 'delete', collection: expense, id: 1 });
  const { changes, keys, entry } = await jsonRecords(directory).trace({
    ...{ collection: 'expense', id: 1 },
  });
  expect(changes).toMatchObject([
    { seq: 1, change: { op: 'create', base: null, idempotencyKey: 'k1' } },
    { seq: 4, change: { op: 'delete', base: { epoch: 2, version: 1 } } },
  ]);
  expect(keys).toMatchObject([{ key: 'k1', fingerprint: 'f' }]);
  expect(entry).toEqual({ id: 1, epoch: 2, version: 2, text: null });
});

test('a mapping error is told as one, also once it stands in a checkpoint', async () => {
  const directory = await freshDirectory();
  const legacy = { id: 7, date: 'soon', category: 'Food', amount: 1, account: 'Cash' };
  await writeLegacy(directory, JSON.stringify([legacy]));
  const store = await open(directory);
  const trace = () => jsonRecords(directory).trace({ collection: 'expense', id: 7 });
  expect(await trace()).toMatchObject({ fits: false, entry: { id: 7 } });
  await run(store, {
    op: 'update',
    collection: expense,
    id: 7,
    set: setOf({ date: '2025-12-07' }),
  });
  expect(await trace()).toMatchObject({ fits: true });
  await store.checkpoint();
  expect(await trace()).toMatchObject({ fits: true, entry: { id: 7 } });
});

test('I12: no store, or a damaged one, is said so', async () => {
  const directory = await freshDirectory();
  const trace = () => jsonRecords(directory).trace({ collection: 'expense', id: 1 });
  await expect(trace()).rejects.toMatchObject({ code: 'unavailable' });
  const store = await open(directory);
  await create(store);
  await store.close();
  const [segment = ''] = await segmentsOf(directory);
  await truncate(segment, 10);
  await expect(trace()).rejects.toMatchObject({ code: 'refused-to-open' });
});
