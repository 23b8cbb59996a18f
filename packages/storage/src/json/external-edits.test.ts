import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { EditAdopter } from '../changes/index.ts';
import { loadCollections } from '../collections/index.ts';
import { silentLog } from '../log.ts';
import { interceptFileSystem } from '../testing/intercepted-file-system.ts';
import { freshDirectory, open, readRecords } from '../testing/json-fixture.ts';
import { recordingLog } from '../testing/recording-log.ts';
import { create, expense, run, setOf } from '../testing/store-fixture.ts';
import {
  type ExternalEdits,
  externalEditsOf,
  inspectJsonStore,
  type JsonStore,
  realFileSystem,
} from './index.ts';

const BY = { actor: 'ann', reason: 'it was meant' };

/** The primary that must not be asked. */
const NOBODY: EditAdopter = {
  takeIds: () => Promise.reject(new Error('PostgreSQL is not the primary.')),
  adoptDifferences: () => Promise.reject(new Error('PostgreSQL is not the primary.')),
};

const audited: unknown[] = [];

const operators = async (directory: string, postgres = NOBODY): Promise<ExternalEdits> =>
  externalEditsOf({
    ...{ directory, postgres, log: silentLog, timeoutMs: 20_000 },
    collections: await loadCollections(),
    audit: async (entry) => {
      audited.push(entry);
    },
  });

interface Edited {
  readonly directory: string;
  readonly store: JsonStore;
  readonly edits: ExternalEdits;
  readonly name: string;
  readonly text: string;
}

/** A served store with three records, whose file somebody has edited: 1 changed, 2 gone, one new. */
async function editedStore(postgres?: EditAdopter): Promise<Edited> {
  const directory = await freshDirectory();
  const path = join(directory, 'expenses.json');
  const other = postgres === undefined ? {} : { otherPrimary: postgres };
  const store = await open(directory, { processName: 'api', ...other });
  await store.phase.update({ phase: 'json-primary', epoch: 2 });
  for (const notes of ['one', 'two', 'three']) await create(store, { notes });
  await store.checkpoint();
  const records = JSON.parse(await readFile(path, 'utf8'));
  records[0].notes = 'by hand';
  records.splice(1, 1);
  records.push({ ...records[0], notes: 'new', id: undefined });
  const text = JSON.stringify(records);
  await writeFile(path, text);
  await store.checkpoint();
  const edits = await operators(directory, postgres);
  const [edit] = await edits.list();
  if (edit === undefined) throw new Error('The edit was not noticed.');
  return { directory, store, edits, name: edit.name, text };
}

const notesOf = async (directory: string): Promise<unknown[]> =>
  (await readRecords(directory)).map((record) => (record as { notes: unknown }).notes);

test('I7: demands for a checkpoint at the same moment are one after the other', async () => {
  const directory = await freshDirectory();
  let states = 0;
  const fileSystem = interceptFileSystem(realFileSystem, ({ kind, path }) => {
    if (kind === 'create' && path.includes('state-')) states++;
  });
  const store = await open(directory, { fileSystem });
  await create(store, { notes: 'ours' });
  await store.checkpoint();
  await writeFile(join(directory, 'expenses.json'), '[]');
  states = 0;
  await Promise.all([store.checkpoint(), store.checkpoint(), store.checkpoint()]);
  expect(states).toBe(1);
  expect(await notesOf(directory)).toEqual(['ours']);
  await create(store);
  await Promise.all([store.checkpoint(), store.checkpoint()]);
  expect(states).toBe(2);
  expect(store.externalEdits()).toMatchObject([{ removed: [1] }]);
});

test('an edit at rest is noticed on demand, kept aside, listed and shown; ours stands again', async () => {
  const { directory, store, edits, name, text } = await editedStore();
  const facts = { name, status: 'open', added: [], changed: [1], removed: [2], withoutId: 1 };
  expect(await edits.list()).toMatchObject([facts]);
  expect(await edits.show(name)).toMatchObject({
    ...facts,
    records: [{ id: 1, from: /one/, to: /by hand/ }, { to: /new/ }, { id: 2, to: null }],
  });
  expect(await readFile(join(directory, '.tandem/external-edits', name), 'utf8')).toBe(text);
  expect(await notesOf(directory)).toEqual(['one', 'two', 'three']);
  expect(store.externalEdits().filter(({ status }) => status === 'open')).toHaveLength(1);
  expect((await inspectJsonStore(directory)).openEdits).toBe(1);
});

test('I2: an adopted edit becomes changes of the serving store, with versions, in its outbox', async () => {
  const { directory, store, edits, name } = await editedStore();
  const before = store.outbox.head();
  const adopted = await edits.decide({ edit: name, act: 'adopt', ...BY });
  expect(adopted).toMatchObject({
    ...{ status: 'adopted', conflicting: [], unfit: [] },
    decisions: [{ ...BY, act: 'adopt', at: expect.any(String) }],
  });
  const entries = await store.scan(expense, 0, 10);
  expect(entries.map(({ id, version, text }) => [id, version, text === null])).toEqual([
    [1, 2, false],
    [2, 2, true],
    [3, 1, false],
    [4, 1, false],
  ]);
  expect(audited.at(-1)).toMatchObject({
    ...{ ...BY, action: 'adopt-external-edit' },
    details: { edit: name, status: 'adopted', changed: [1] },
  });
  const items = await store.outbox.read(before, 10);
  expect(items.map(({ item }) => item.kind === 'change' && item.change.op)).toEqual([
    ...['update', 'create', 'delete'],
  ]);
  expect(await notesOf(directory)).toEqual(['by hand', 'three', 'new']);
  // What was decided stays decided, and the gate is open.
  for (const act of ['adopt', 'reject'] as const) {
    await expect(edits.decide({ edit: name, act, ...BY })).rejects.toMatchObject({
      code: 'conflict',
    });
  }
  expect(store.externalEdits().filter(({ status }) => status === 'open')).toEqual([]);
  expect((await create(store)).id).toBe(5);
});

test('a decision stands, and is said to be missing there, when the audit log can not be written', async () => {
  const { directory, name } = await editedStore();
  const log = recordingLog();
  const away = externalEditsOf({
    ...{ directory, postgres: NOBODY, log, timeoutMs: 20_000 },
    collections: await loadCollections(),
    audit: () => Promise.reject(new Error('PostgreSQL is away.')),
  });
  expect(await away.decide({ edit: name, act: 'reject', ...BY })).toMatchObject({
    ...{ status: 'rejected', decisions: [BY] },
  });
  expect(log.sentences('warn')).toEqual([
    expect.stringMatching(/^The decision stands, .* not in the audit log: PostgreSQL is away\.$/),
  ]);
});

test('a rejected edit stays aside, and nothing of it is done', async () => {
  const { directory, store, edits, name, text } = await editedStore();
  expect(await edits.decide({ edit: name, act: 'reject', ...BY })).toMatchObject({
    ...{ status: 'rejected', decisions: [{ ...BY, act: 'reject' }] },
  });
  expect(await notesOf(directory)).toEqual(['one', 'two', 'three']);
  expect(await readFile(join(directory, '.tandem/external-edits', name), 'utf8')).toBe(text);
  await store.close();
  const again = await open(directory);
  expect(again.externalEdits()).toMatchObject([{ name, status: 'rejected' }]);
});

test('I4: a record that both sides changed is left, the rest is adopted; then it is decided', async () => {
  const { store, edits, name } = await editedStore();
  await run(store, { op: 'update', collection: expense, id: 1, set: setOf({ notes: 'own' }) });
  const first = await edits.decide({ edit: name, act: 'adopt', ...BY });
  expect(first).toMatchObject({ status: 'open', conflicting: [1] });
  expect((await store.get(expense, 1))?.text).toContain('own');
  expect(await store.get(expense, 2)).toBeUndefined();
  const second = await edits.decide({ edit: name, act: 'adopt', ...BY });
  expect(second).toMatchObject({ status: 'open', conflicting: [1], decisions: [{}, {}] });
  // No record is made twice.
  expect((await store.scan(expense, 0, 10)).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  await run(store, { op: 'update', collection: expense, id: 1, set: setOf({ notes: 'by hand' }) });
  expect(await edits.decide({ edit: name, act: 'adopt', ...BY })).toMatchObject({
    status: 'adopted',
  });
});

test('while nobody serves, the store is opened for it; what is not there is not found', async () => {
  const { directory, store, edits, name } = await editedStore();
  await expect(edits.show('nothing')).rejects.toMatchObject({ code: 'not-found' });
  await store.close();
  await expect(edits.decide({ edit: '../x', act: 'reject', ...BY })).rejects.toMatchObject({
    code: 'not-found',
  });
  expect(await edits.decide({ edit: name, act: 'adopt', ...BY })).toMatchObject({
    status: 'adopted',
  });
  expect(await notesOf(directory)).toEqual(['by hand', 'three', 'new']);
  const nowhere = join(directory, 'nowhere');
  expect(await (await operators(nowhere)).list()).toEqual([]);
});

test('I3: where PostgreSQL is the primary, it takes the edit; JSON takes nothing', async () => {
  const asked: unknown[] = [];
  const postgres: EditAdopter = {
    async takeIds(collection, count, above) {
      asked.push({ collection, count, above });
      return [40];
    },
    async adoptDifferences(collection, differences) {
      asked.push({ collection, differences: differences.map(({ id }) => id) });
      return { conflicting: [], unfit: [4] };
    },
  };
  const { store, edits, name } = await editedStore(postgres);
  await store.phase.update({ phase: 'postgres-primary', epoch: 3 });
  const before = await store.scan(expense, 0, 10);
  expect(await edits.decide({ edit: name, act: 'adopt', ...BY })).toMatchObject({
    ...{ status: 'open', unfit: [4], conflicting: [] },
  });
  expect(asked).toEqual([
    { collection: 'expense', count: 1, above: 2 },
    { collection: 'expense', differences: [1, 40, 2] },
  ]);
  expect(await store.scan(expense, 0, 10)).toEqual(before);
});
