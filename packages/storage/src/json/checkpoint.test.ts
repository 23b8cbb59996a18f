import { createHash } from 'node:crypto';
import { cp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadCollections } from '../collections/index.ts';
import { type FileOperation, interceptFileSystem } from '../testing/intercepted-file-system.ts';
import {
  contentOf,
  freshDirectory,
  open,
  readRecords,
  segmentsOf,
  writeLegacy,
} from '../testing/json-fixture.ts';
import {
  allTexts,
  changeOf,
  create,
  expense,
  expenseText,
  income,
  run,
  setOf,
} from '../testing/store-fixture.ts';
import { until } from '../testing/until.ts';
import { realFileSystem } from './index.ts';

test('I7: a crash between any two steps of a checkpoint leaves whole files and every change', async () => {
  const directory = await freshDirectory();
  const copies: { at: string; copy: string }[] = [];
  let watching = false;
  const snapshot = async ({ kind, path }: FileOperation): Promise<void> => {
    if (!watching || kind === 'read') return;
    const copy = await freshDirectory();
    await cp(directory, copy, { recursive: true });
    copies.push({ at: `${kind} ${path.slice(directory.length)}`, copy });
  };
  const fileSystem = interceptFileSystem(realFileSystem, snapshot);
  const store = await open(directory, { fileSystem });
  await create(store);
  await create(store, {}, income);
  await store.checkpoint();
  const { id } = await create(store, { notes: 'second' });
  await run(store, { op: 'delete', collection: expense, id: 1 });
  await run(store, { op: 'update', collection: income, id: 1, set: setOf({ notes: 'x' }, income) });
  const expected = await contentOf(store);
  const before = await readRecords(directory);
  watching = true;
  await store.checkpoint();
  watching = false;
  const after = await readRecords(directory);
  expect(after).toMatchObject([{ id, notes: 'second' }]);
  expect(copies.length).toBeGreaterThan(15);
  for (const { at, copy } of copies) {
    const found = await readRecords(copy);
    expect([before, after], at).toContainEqual(found);
    const again = await open(copy);
    expect(await contentOf(again), at).toEqual(expected);
    expect(again.externalEdits(), at).toEqual([]);
    await again.close();
    expect(await readRecords(copy), at).toEqual(after);
    const last = await open(copy);
    expect(await contentOf(last), at).toEqual(expected);
    await last.close();
  }
});

test('I7: the file is what Python writes: pretty, in id order, legacy fields only', async () => {
  const directory = await freshDirectory();
  const store = await open(directory);
  await create(store, { date: '2025-01-01', notes: 'שלום "\\\n' });
  const extra = '"tag":1.0,"deep":{"a":[],"b":[1,{"c":{}}]},';
  const text = expenseText(7, '{[,:', extra);
  const change = changeOf(7, { epoch: 1, version: 3 }, null, text);
  await store.apply([{ kind: 'change', change }]);
  await run(store, { op: 'delete', collection: expense, id: 1 });
  await create(store, { amount: '10.00' });
  await store.checkpoint();
  expect(await readFile(join(directory, 'expenses.json'), 'utf8')).toBe(`[
  {
    "date": "2025-12-07",
    "business": null,
    "category": "Food",
    "amount": 12.5,
    "account": "Cash",
    "currency": "₪",
    "notes": "{[,:",
    "tag": 1.0,
    "deep": {
      "a": [],
      "b": [
        1,
        {
          "c": {}
        }
      ]
    },
    "id": 7
  },
  {
    "date": "2025-12-07",
    "business": null,
    "category": "Groceries",
    "amount": 10,
    "account": "Cash",
    "currency": "₪",
    "notes": null,
    "id": 8
  }
]
`);
  expect(await readFile(join(directory, 'incomes.json'), 'utf8')).toBe('[]\n');
  await store.close();
  expect(await allTexts(await open(directory))).toContain(text);
});

test('writes go on while a checkpoint runs, and one starts by itself', async () => {
  const directory = await freshDirectory();
  const store = await open(directory, { checkpointAfterBytes: 20_000 });
  for (let index = 0; index < 200; index++) await create(store, { notes: `n${index}` });
  await until('a checkpoint has records', async () => (await readRecords(directory)).length > 0);
  await store.close();
  expect(await readRecords(directory)).toHaveLength(200);
  expect(await segmentsOf(directory)).toHaveLength(1);
  expect(await allTexts(await open(directory))).toHaveLength(200);
});

test('the more records a checkpoint has to write, the more journal gathers before one starts', async () => {
  let written = 0;
  const begunAfter: number[] = [];
  const fileSystem = interceptFileSystem(realFileSystem, ({ kind, path }) => {
    if (kind === 'create' && path.includes('state-')) begunAfter.push(written);
  });
  const store = await open(await freshDirectory(), { fileSystem, checkpointAfterBytes: 20_000 });
  await Promise.all(Array.from({ length: 1_000 }, () => create(store)));
  await store.checkpoint();
  begunAfter.length = 0;
  // A hundred of them are over 20,000 bytes, and far from 128 for each record.
  for (; begunAfter.length === 0; written++) await create(store);
  expect(begunAfter[0]).toBeGreaterThan(100);
});

test('a stop without changes writes nothing', async () => {
  const directory = await freshDirectory();
  const first = await open(directory);
  await create(first);
  await first.close();
  const path = join(directory, 'expenses.json');
  const { ino } = await stat(path);
  await (await open(directory)).close();
  expect((await stat(path)).ino).toBe(ino);
});

test('permissions of the file stay', async () => {
  const directory = await freshDirectory();
  const path = join(directory, 'expenses.json');
  await writeFile(path, '[]', { mode: 0o640 });
  const store = await open(directory);
  await create(store);
  await store.close();
  expect((await stat(path)).mode & 0o777).toBe(0o640);
  expect((await stat(join(directory, '.tandem'))).mode & 0o777).toBe(0o700);
  expect((await stat(join(directory, '.tandem/manifest.json'))).mode & 0o777).toBe(0o600);
});

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

test('an edit by something else is kept aside and listed, and the own state is served', async () => {
  const directory = await freshDirectory();
  const path = join(directory, 'expenses.json');
  const store = await open(directory);
  for (const notes of ['one', 'two', 'three']) await create(store, { notes });
  await store.close();
  const edited = JSON.parse(await readFile(path, 'utf8'));
  edited[0].notes = 'edited';
  edited.splice(1, 1);
  edited.push({ ...edited[0], notes: 'no id', id: undefined }, { ...edited[0], id: 9 });
  const text = JSON.stringify(edited);
  await writeFile(path, text);

  const again = await open(directory);
  const [edit] = again.externalEdits();
  const listed = { added: [9], changed: [1], removed: [2], withoutId: 1, status: 'open' };
  expect(edit).toMatchObject({ collection: 'expense', ...listed });
  expect(await readFile(edit?.keptAt ?? '', 'utf8')).toBe(text);
  expect(await allTexts(again)).toHaveLength(3);
  await again.close();
  expect(await readRecords(directory)).toHaveLength(3);

  // Adopted later on, from what was kept aside: as changes with stamps of their own.
  const adopting = await open(directory, { adoptExternalEdits: true });
  expect(adopting.externalEdits()).toMatchObject([{ status: 'adopted', conflicting: [] }]);
  const entries = await adopting.scan(expense, 0, 10);
  expect(entries.map(({ id, version, text }) => [id, version, text === null])).toEqual([
    [1, 2, false],
    [2, 2, true],
    [3, 1, false],
    [9, 1, false],
    [10, 1, false],
  ]);
  expect((await create(adopting)).id).toBe(11);
  await adopting.close();
  expect(sha256(await readFile(edit?.keptAt ?? '', 'utf8'))).toBe(sha256(text));
  const last = await open(directory, { adoptExternalEdits: true });
  expect(await last.scan(expense, 0, 10)).toHaveLength(6);
});

test('an edit made while the store runs is kept aside before the file is replaced', async () => {
  const directory = await freshDirectory();
  const path = join(directory, 'expenses.json');
  const store = await open(directory);
  await create(store, { notes: 'one' });
  await store.checkpoint();
  const text = (await readFile(path, 'utf8')).replace('one', 'by hand');
  await writeFile(path, text);
  await create(store, { notes: 'two' });
  await run(store, { op: 'update', collection: expense, id: 1, set: setOf({ notes: 'own' }) });
  await store.checkpoint();
  const [edit] = store.externalEdits();
  expect(edit).toMatchObject({ added: [], changed: [1], removed: [] });
  expect(await readFile(edit?.keptAt ?? '', 'utf8')).toBe(text);
  await store.close();
  // Changed on both sides: nothing wins by itself.
  const adopting = await open(directory, { adoptExternalEdits: true });
  expect(adopting.externalEdits()).toMatchObject([{ status: 'open', conflicting: [1] }]);
  expect((await adopting.get(expense, 1))?.text).toContain('own');
});

test('a file that is no JSON after an edit, or gone, costs nothing', async () => {
  const directory = await freshDirectory();
  const store = await open(directory);
  const { text } = await create(store);
  await store.close();
  await writeFile(join(directory, 'expenses.json'), '[{"half":');
  const again = await open(directory, { adoptExternalEdits: true });
  expect(again.externalEdits()).toMatchObject([{ status: 'open', problem: expect.any(String) }]);
  expect(await allTexts(again)).toEqual([text]);
  await again.close();
  expect(await readRecords(directory)).toHaveLength(1);
  await rm(join(directory, 'expenses.json'));
  await (await open(directory)).close();
  expect(await readRecords(directory)).toHaveLength(1);
});

test('a collection that is new to a store is adopted with its file', async () => {
  const directory = await freshDirectory();
  const collections = await loadCollections();
  const only = collections.filter(({ name }) => name === 'income');
  const store = await open(directory, { collections: only });
  await store.phase.update({ phase: 'json-primary', epoch: 4 });
  await create(store, {}, income);
  await store.close();
  await writeLegacy(directory, `[${expenseText(3, 'late')}]`);
  const again = await open(directory);
  const late = { id: 3, epoch: 4, version: 1, text: expenseText(3, 'late') };
  expect(await again.get(expense, 3)).toEqual(late);
  expect(again.phase.read().catchUpSince).not.toBeNull();
  const copy = await freshDirectory();
  await cp(directory, copy, { recursive: true });
  expect(await contentOf(await open(copy))).toEqual(await contentOf(again));
  await again.close();
  await expect(open(directory, { collections: only })).rejects.toMatchObject({
    code: 'refused-to-open',
  });
});
