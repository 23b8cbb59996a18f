import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFailed, onTestFinished, test } from 'vitest';
import { loadCollections } from '../collections/index.ts';
import {
  contentOf,
  filesBelow,
  freshDirectory,
  open,
  segmentsOf,
} from '../testing/json-fixture.ts';
import {
  allPages,
  allTexts,
  changeOf,
  create,
  expense,
  expenseText,
  randomFrom,
  run,
  seedOf,
  setOf,
  valuesOf,
} from '../testing/store-fixture.ts';
import { until } from '../testing/until.ts';
import type { JsonSnapshot } from './json-snapshot.ts';
import { openJsonSnapshot } from './json-snapshot.ts';

const WRITER = join(import.meta.dirname, '../testing/json-writer-process.ts');

async function view(directory: string): Promise<JsonSnapshot> {
  const snapshot = await openJsonSnapshot({ directory, collections: await loadCollections() });
  onTestFinished(() => snapshot.close());
  return snapshot;
}

/** Content as a store or a snapshot gives it through the reading half of the contract. */
const read = (store: JsonSnapshot) =>
  contentOf(store as unknown as Parameters<typeof contentOf>[0]);

/** A process that writes until it is killed; `said` grows with every acknowledged note. */
async function writer(directory: string): Promise<{ child: ChildProcess; said: string[] }> {
  const child = spawn(process.execPath, [WRITER, directory, 'write'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said: string[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => said.push(line));
  await until('the writer writes', () => said.length > 1);
  return { child, said };
}

const kill = async (child: ChildProcess): Promise<void> => {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
};

test('a snapshot reads what the holder has, in every way of the contract, and touches nothing', async () => {
  const directory = await freshDirectory();
  const store = await open(directory);
  const gone = await create(store);
  for (const date of ['2025-01-01', '2024-02-29', '2025-03-03']) await create(store, { date });
  await run(store, { op: 'delete', collection: expense, id: gone.id });
  await store.write({
    command: { op: 'create', collection: expense, values: valuesOf({ notes: 'keyed' }) },
    key: { key: 'k', fingerprint: 'f' },
  });
  await store.checkpoint();
  await create(store, { notes: 'after the checkpoint' });
  await store.raiseIdHighWater({ income: 77 });
  const before = await filesBelow(directory);
  const snapshot = await view(directory);
  expect(await read(snapshot)).toEqual(await contentOf(store));
  expect(await allTexts(snapshot as never)).toEqual(await allTexts(store));
  expect(await allPages(snapshot as never, 2)).toEqual(await allPages(store, 2));
  expect(await snapshot.get(expense, 2)).toEqual(await store.get(expense, 2));
  expect(await snapshot.get(expense, gone.id)).toBeUndefined();
  expect(await snapshot.entries(expense, [3, 1, 99])).toEqual(
    await store.entries(expense, [3, 1, 99]),
  );
  expect(snapshot.phase).toEqual(store.phase.read());
  await snapshot.refresh();
  expect(await filesBelow(directory)).toEqual(before);
});

test('I1: a refresh has every write acknowledged before it, and reads no more than what is new', async () => {
  const directory = await freshDirectory();
  const store = await open(directory);
  await store.phase.update({ phase: 'json-primary' });
  for (let n = 0; n < 50; n++) await create(store);
  const snapshot = await view(directory);
  expect(await snapshot.refresh()).toEqual({ replayed: 0, reloaded: false });
  const made = await create(store, { notes: 'new' });
  const set = setOf({ notes: 'newer' });
  await run(store, { op: 'update', collection: expense, id: made.id, set });
  expect(await snapshot.refresh()).toEqual({ replayed: 2, reloaded: false });
  expect(await read(snapshot)).toEqual(await contentOf(store));
  expect(snapshot.head).toBe(store.outbox.head());
  await store.phase.update({ sealed: true });
  await snapshot.refresh();
  expect(snapshot.phase.sealed).toBe(true);
});

test('a checkpoint costs a follower nothing; one that has slept through two loads anew', async () => {
  const directory = await freshDirectory();
  const store = await open(directory);
  for (let n = 0; n < 20; n++) await create(store);
  const snapshot = await view(directory);
  for (let round = 0; round < 4; round++) {
    await create(store);
    await store.checkpoint();
    await create(store);
    expect(await snapshot.refresh()).toEqual({ replayed: 2, reloaded: false });
    expect(await read(snapshot)).toEqual(await contentOf(store));
  }
  for (let round = 0; round < 2; round++) {
    await create(store);
    await store.checkpoint();
  }
  expect((await snapshot.refresh()).reloaded).toBe(true);
  expect(await read(snapshot)).toEqual(await contentOf(store));
});

test('a clean hand-over, checkpoint and all, leaves a follower with nothing to load', async () => {
  const directory = await freshDirectory();
  const first = await open(directory);
  for (let n = 0; n < 20; n++) await create(first);
  const snapshot = await view(directory);
  await create(first);
  await first.close();
  expect(await snapshot.refresh()).toEqual({ replayed: 1, reloaded: false });
  const second = await open(directory);
  await create(second);
  expect(await snapshot.refresh()).toEqual({ replayed: 1, reloaded: false });
  expect(await read(snapshot)).toEqual(await contentOf(second));
});

test('I1: beside a process that writes and checkpoints, every refresh is whole; then it is killed', async () => {
  const directory = await freshDirectory();
  for (let round = 0; round < 2; round++) {
    const { child, said } = await writer(directory);
    const snapshot = await view(directory);
    for (let look = 0; look < 25; look++) {
      const acknowledged = said.filter((line) => line !== 'open');
      await snapshot.refresh();
      const notes = new Set(
        (await allTexts(snapshot as never)).map((text): string => JSON.parse(text).notes),
      );
      expect(acknowledged.filter((note) => !notes.has(note))).toEqual([]);
    }
    await kill(child);
    await snapshot.refresh();
    const store = await open(directory);
    await create(store, { notes: 'after the crash' });
    await snapshot.refresh();
    expect(await read(snapshot)).toEqual(await contentOf(store));
    await store.close();
    await snapshot.refresh();
    expect(await read(snapshot)).toEqual(await contentOf(store));
  }
});

test('random writes, applies, checkpoints and reopenings: a follower always ends as the store', async () => {
  const seed = seedOf();
  onTestFailed(() => console.error(`TANDEM_SEED=${seed}`));
  const random = randomFrom(seed);
  const directory = await freshDirectory();
  let store = await open(directory);
  const snapshot = await view(directory);
  const acts = [
    () => create(store, { notes: 'n'.repeat(Math.floor(random() * 400)) }),
    () => Promise.all([1, 2, 3].map(() => create(store))),
    () => run(store, { op: 'bulk-delete', collection: expense, ids: [1, 2, 3].map(anyId) }),
    () => store.checkpoint(),
    () => {
      const id = 5_000 + Math.floor(random() * 50);
      const change = changeOf(id, { epoch: 1, version: 1 }, null, expenseText(id, 'applied'));
      return store.apply([{ kind: 'change', change }]);
    },
    async () => {
      await store.close();
      store = await open(directory);
    },
    async () => {
      await snapshot.refresh();
      expect(await read(snapshot)).toEqual(await contentOf(store));
    },
  ];
  const anyId = () => 1 + Math.floor(random() * 60);
  for (let step = 0; step < 250; step++) await acts[Math.floor(random() * acts.length)]?.();
  await snapshot.refresh();
  expect(await read(snapshot)).toEqual(await contentOf(store));
});

test('a batch that is still being written is not seen, and is once it is whole', async () => {
  const directory = await freshDirectory();
  const store = await open(directory);
  await create(store);
  const snapshot = await view(directory);
  const before = await read(snapshot);
  const [segment = ''] = await segmentsOf(directory);
  const { length } = await readFile(segment);
  await create(store, { notes: 'in the making' });
  const whole = await readFile(segment);
  for (const cut of [length + 1, length + 30, whole.length - 70, whole.length - 1]) {
    await truncate(segment, cut);
    expect(await snapshot.refresh()).toEqual({ replayed: 0, reloaded: false });
    expect(await read(snapshot)).toEqual(before);
    expect(await read(await view(directory))).toEqual(before);
  }
  await writeFile(segment, whole, { flag: 'r+' });
  expect(await snapshot.refresh()).toEqual({ replayed: 1, reloaded: false });
  expect(await read(snapshot)).toEqual(await contentOf(store));
});

/** A store whose holder died, and in its newest segment the last commit line but one. */
async function killedAmongBatches() {
  for (;;) {
    const directory = await freshDirectory();
    const { child } = await writer(directory);
    await kill(child);
    const segment = (await segmentsOf(directory)).at(-1) ?? '';
    const text = (await readFile(segment)).toString('latin1');
    const last = [...text.matchAll(/"kind":"commit"[^\n]*\n/g)].at(-2);
    // It had just begun a new segment: another one, then.
    if (last !== undefined) return { directory, segment, last };
  }
}

test('I11: a batch that was seen and then lost with its failed sync does not stay', async () => {
  for (const reopenings of [1, 2]) {
    const { directory, segment, last } = await killedAmongBatches();
    const snapshot = await view(directory);
    // The holder's last batch is cut off, as if it had never reached the disk.
    await truncate(segment, last.index + last[0].length);
    for (let n = 0; n < reopenings; n++) {
      const store = await open(directory);
      await create(store, { notes: 'in its place' });
      await store.close();
    }
    const refresh = await snapshot.refresh();
    expect(refresh.reloaded).toBe(true);
    const store = await open(directory);
    expect(await read(snapshot)).toEqual(await contentOf(store));
    await store.close();
  }
});

test('I12: damage in the middle is refused with file and offset, also by a follower', async () => {
  const directory = await freshDirectory();
  const store = await open(directory);
  await create(store, { notes: 'first' });
  const snapshot = await view(directory);
  const [segment = ''] = await segmentsOf(directory);
  const { length } = await readFile(segment);
  for (let n = 0; n < 3; n++) await create(store, { notes: `later ${n}` });
  const bytes = await readFile(segment);
  bytes[length + 60] = (bytes[length + 60] ?? 0) ^ 1;
  await writeFile(segment, bytes, { flag: 'r+' });
  const refusal = { code: 'refused-to-open', detail: { file: segment, offset: length } };
  await expect(snapshot.refresh()).rejects.toMatchObject(refusal);
  const collections = await loadCollections();
  await expect(openJsonSnapshot({ directory, collections })).rejects.toMatchObject(refusal);
});

test('a folder without a store is said to have none', async () => {
  const directory = await freshDirectory();
  const collections = await loadCollections();
  await expect(openJsonSnapshot({ directory, collections })).rejects.toMatchObject({
    code: 'unavailable',
    message: `There is no JSON store in ${directory} yet.`,
  });
});
