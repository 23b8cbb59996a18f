import { cp, readFile, truncate } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { contentOf, freshDirectory, open, segmentsOf } from '../testing/json-fixture.ts';
import {
  changeOf,
  create,
  expense,
  expenseText,
  run,
  setOf,
  valuesOf,
} from '../testing/store-fixture.ts';
import { inspectJsonStore, type JsonStore } from './index.ts';

async function primary(directory: string, options = {}): Promise<JsonStore> {
  const store = await open(directory, options);
  await store.phase.update({ phase: 'json-primary', epoch: 2 });
  return store;
}

const seqs = async (store: JsonStore, after = 0, limit = 100_000): Promise<number[]> =>
  (await store.outbox.read(after, limit)).map(({ seq }) => seq);

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

test('I2: what the phase of the same step asks for is in the outbox, without gaps', async () => {
  const directory = await freshDirectory();
  const store = await open(directory);
  await create(store);
  expect(store.outbox.head()).toBe(0);
  const switched = store.phase.update({ phase: 'json-primary', epoch: 2 });
  const created = create(store);
  await switched;
  await created;
  const key = { key: 'k', fingerprint: 'f' };
  const values = valuesOf();
  await store.write({ command: { op: 'create', collection: expense, values }, key });
  await run(store, { op: 'bulk-delete', collection: expense, ids: [1, 2] });
  const change = changeOf(50, { epoch: 1, version: 1 }, null, expenseText(50, 'applied'));
  await store.apply([{ kind: 'change', change }]);
  await store.phase.update({ phase: 'json-only', epoch: 3 });
  await create(store);
  const entries = await store.outbox.read(0, 10);
  expect(entries.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  expect(entries.map(({ item }) => (item.kind === 'key' ? 'key' : item.change.op))).toEqual([
    ...['create', 'create', 'key', 'delete', 'delete'],
  ]);
  expect(entries[1]?.item).toMatchObject({ change: { idempotencyKey: 'k', epoch: 2 } });
  const copy = await freshDirectory();
  await cp(directory, copy, { recursive: true });
  expect(await (await open(copy)).outbox.read(0, 10)).toEqual(entries);
});

test('the trace of a request stands with its items in the journal, and of no other', async () => {
  const directory = await freshDirectory();
  const store = await primary(directory);
  const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
  const key = { key: 'k', fingerprint: 'f' };
  const command = { op: 'create', collection: expense, values: valuesOf() } as const;
  await Promise.all([store.write({ command, key, trace }), store.write({ command })]);
  const copy = await freshDirectory();
  await cp(directory, copy, { recursive: true });
  for (const one of [store, await open(copy)]) {
    const items = (await one.outbox.read(0, 10)).map(({ item }) => item);
    expect(items.map((item) => item.trace)).toEqual([trace, trace, undefined]);
    expect(items[0]).not.toHaveProperty('change.trace');
  }
});

test('I3: a store that is sealed, committing or secondary refuses writes and applies changes', async () => {
  const store = await primary(await freshDirectory());
  const { id } = await create(store);
  const attempt = { attempt: 'a', epoch: 3, phase: 'postgres-primary' as const };
  const states = [{ sealed: true }, { sealed: false, committing: attempt }, attempt].map(
    (state) => ({ committing: null, sealed: false, ...state }),
  );
  for (const { sealed, committing, ...rest } of states) {
    const phase = 'phase' in rest ? { phase: 'postgres-primary' as const } : {};
    await store.phase.update({ sealed, committing, ...phase });
    await expect(create(store)).rejects.toMatchObject({ code: 'not-primary', status: 503 });
    const command = { op: 'delete', collection: expense, id } as const;
    const key = { key: 'k', fingerprint: 'f' };
    await expect(store.write({ command, key })).rejects.toMatchObject({ code: 'not-primary' });
  }
  const stamp = { epoch: 3, version: 2 };
  const change = changeOf(id, stamp, { epoch: 2, version: 1 }, expenseText(id, 'applied'));
  expect(await store.apply([{ kind: 'change', change }])).toMatchObject([{ verdict: 'apply' }]);
  expect(store.outbox.head()).toBe(1);
});

test('the outbox survives checkpoints, stops and crashes until it is relayed', async () => {
  const directory = await freshDirectory();
  let store = await primary(directory);
  for (let index = 0; index < 30; index++) {
    await create(store);
    if (index % 10 === 9) await store.checkpoint();
  }
  await store.close();
  store = await open(directory);
  expect(store.outbox.head()).toBe(30);
  expect(await seqs(store)).toEqual(range(1, 30));
  expect(await seqs(store, 7, 5)).toEqual(range(8, 12));
  expect(await seqs(store, 12, 100)).toEqual(range(13, 30));
  const set = setOf({ notes: 'x' });
  await run(store, { op: 'update', collection: expense, id: 1, set });
  expect(await seqs(store, 30)).toEqual([31]);
  expect(await seqs(store, 25, 3)).toEqual([26, 27, 28]);

  const before = (await segmentsOf(directory)).length;
  store.outbox.relayed(15);
  await store.checkpoint();
  expect((await segmentsOf(directory)).length).toBe(before);
  await expect(seqs(store, 0)).rejects.toMatchObject({ code: 'refused-to-open' });
  expect(await seqs(store, 15)).toEqual(range(16, 31));
  const content = await contentOf(store);
  await store.close();
  store = await open(directory);
  expect(store.outbox.head()).toBe(31);
  expect(await contentOf(store)).toEqual(content);
  store.outbox.relayed(31);
  await create(store);
  store.outbox.relayed(32);
  await store.checkpoint();
  expect(await segmentsOf(directory)).toHaveLength(1);
  expect(store.outbox.head()).toBe(32);
  expect(store.phase.read().catchUpSince).toBeNull();
});

test('I12: a segment kept for the outbox alone that lost its end at a line is refused, not read for ever', async () => {
  const directory = await freshDirectory();
  const store = await primary(directory);
  for (let index = 0; index < 3; index++) await create(store);
  await store.checkpoint();
  const [kept] = await segmentsOf(directory);
  const lines = (await readFile(kept as string, 'latin1')).split('\n');
  const copy = await freshDirectory();
  await store.close();
  await cp(directory, copy, { recursive: true });
  const cut = async (folder: string): Promise<void> => {
    const [path] = await segmentsOf(folder);
    await truncate(path as string, `${lines.slice(0, 2).join('\n')}\n`.length);
  };
  await cut(copy);
  await expect(open(copy)).rejects.toMatchObject({ code: 'refused-to-open', detail: {} });
  const running = await open(directory);
  await cut(directory);
  await expect(seqs(running)).rejects.toMatchObject({ code: 'refused-to-open' });
});

test('what is in the queue is remembered over a stop, also when nothing else was new', async () => {
  const directory = await freshDirectory();
  const store = await primary(directory);
  await create(store);
  await store.close();
  const again = await open(directory);
  expect(again.outbox.relayedSeq).toBe(0);
  again.outbox.relayed(1);
  await again.close();
  expect((await open(directory)).outbox.relayedSeq).toBe(1);
});

test('a reader that keeps reading gets every item once, from memory and from files', async () => {
  const directory = await freshDirectory();
  const store = await primary(directory, { checkpointAfterBytes: 100_000 });
  const total = 12_000;
  const notes = 'n'.repeat(50);
  const writing = (async () => {
    for (let index = 0; index < total; index += 400) {
      await Promise.all(Array.from({ length: 400 }, () => create(store, { notes })));
    }
  })();
  await writing;
  const seen: number[] = [];
  while (seen.length < total) {
    const some = await seqs(store, seen.length, 777);
    expect(some.length).toBeGreaterThan(0);
    seen.push(...some);
  }
  expect(seen).toEqual(range(1, total));
});

test('waiting for an item ends when it is durable, or when the signal aborts', async () => {
  const store = await primary(await freshDirectory());
  const stop = new AbortController();
  const waiting = store.outbox.waitBeyond(0, stop.signal);
  await create(store);
  await waiting;
  const forever = store.outbox.waitBeyond(1, stop.signal);
  stop.abort();
  await forever;
  expect(store.outbox.head()).toBe(1);
});

test('past its bound the journal is dropped under a durable catch-up mark, and counts on', async () => {
  const directory = await freshDirectory();
  const clock = { now: Date.parse('2025-12-07T10:00:00Z') };
  const options = { journalBytesMax: 20_000, now: () => clock.now };
  let store = await primary(directory, options);
  for (let index = 0; index < 40; index++) await create(store);
  await store.checkpoint();
  expect(store.phase.read().catchUpSince).toBeNull();
  expect(await seqs(store)).toHaveLength(40);
  for (let index = 0; index < 60; index++) await create(store);
  await store.checkpoint();
  const since = '2025-12-07T10:00:00.000Z';
  expect(store.phase.read().catchUpSince).toBe(since);
  expect(await segmentsOf(directory)).toHaveLength(1);
  clock.now += 60_000;
  expect((await create(store)).id).toBe(101);
  expect(store.outbox.head()).toBe(101);
  await expect(store.outbox.read(99, 5)).resolves.toMatchObject([{ seq: 100 }, { seq: 101 }]);
  await store.close();
  store = await open(directory, options);
  await expect(seqs(store, 99)).rejects.toMatchObject({ code: 'refused-to-open' });
  expect(await seqs(store, 100)).toEqual([101]);
  expect(store.phase.read().catchUpSince).toBe(since);
  expect(await inspectJsonStore(directory)).toMatchObject({ head: 101 });
});

test('I10: keys live for more than a day, over stops, and end', async () => {
  const directory = await freshDirectory();
  const clock = { now: Date.parse('2025-12-07T10:00:00Z') };
  const options = { now: () => clock.now };
  const write = { command: { op: 'create', collection: expense, values: valuesOf() } } as const;
  const key = { key: 'k', fingerprint: 'f' };
  let store = await open(directory, options);
  const first = await store.write({ ...write, key });
  await store.close();
  clock.now += 25 * 3_600_000;
  store = await open(directory, options);
  expect(await store.write({ ...write, key })).toEqual(first);
  clock.now += 24 * 3_600_000;
  expect(await store.write({ ...write, key })).toMatchObject({ kind: 'created', id: 2 });
  await store.close();
  store = await open(directory, options);
  expect(await store.write({ ...write, key })).toMatchObject({ kind: 'created', id: 2 });
  expect(await store.scanKeys('', 10)).toHaveLength(1);
});

test('I5: large items behind the ring are read in pieces, each within a bound', async () => {
  const store = await primary(await freshDirectory());
  const notes = 'x'.repeat(65_536);
  const text = { notes, business: notes, category: notes, account: notes, currency: notes };
  await Promise.all(Array.from({ length: 110 }, () => create(store, text)));
  const read: number[] = [];
  let reads = 0;
  for (; read.length < 110; reads++) {
    const some = await store.outbox.read(read.length, 1_000);
    expect(some.length * notes.length * 5).toBeLessThan(18 << 20);
    read.push(...some.map(({ seq }) => seq));
  }
  expect(read).toEqual(range(1, 110));
  expect(reads).toBeLessThan(10);
});
