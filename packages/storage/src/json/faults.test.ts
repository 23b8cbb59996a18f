import { appendFile, cp } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  type FileOperation,
  fileError,
  interceptFileSystem,
} from '../testing/intercepted-file-system.ts';
import {
  contentOf,
  freshDirectory,
  open,
  readRecords,
  segmentsOf,
} from '../testing/json-fixture.ts';
import { allTexts, create, expense } from '../testing/store-fixture.ts';
import { until } from '../testing/until.ts';
import { realFileSystem } from './index.ts';

/** A file system whose operations fail as long as `fails` says so. */
function faulty(fails: { when: (operation: FileOperation) => Error | undefined }) {
  return interceptFileSystem(realFileSystem, async (operation) => {
    const error = fails.when(operation);
    if (error === undefined) return;
    // A disk that fills up takes a part of what is written.
    if (operation.kind === 'write') await appendFile(operation.path, '0000004f 12');
    throw error;
  });
}

const WRITES = new Set<FileOperation['kind']>(['create', 'write', 'rename']);
const never = (): undefined => undefined;
const inJournal = ({ path }: FileOperation): boolean => path.includes('journal-');

test.each(['ENOSPC', 'EDQUOT'] as const)(
  'I11: a full disk (%s) refuses writes, keeps serving reads, and recovers by itself',
  async (code) => {
    const directory = await freshDirectory();
    const fails: { when: (operation: FileOperation) => Error | undefined } = { when: never };
    const store = await open(directory, { fileSystem: faulty(fails) });
    const first = await create(store);
    fails.when = (operation) =>
      operation.kind === 'write' && inJournal(operation) ? fileError(code) : undefined;
    const full = { code: 'storage-full', status: 507 };
    await expect(create(store)).rejects.toMatchObject(full);
    await expect(create(store)).rejects.toMatchObject(full);
    expect(await allTexts(store)).toEqual([first.text]);
    fails.when = never;
    const second = await create(store);
    expect(second.id).toBe(2);
    const copy = await freshDirectory();
    await cp(directory, copy, { recursive: true });
    const again = await open(copy);
    expect(await contentOf(again)).toEqual(await contentOf(store));
    expect(again.recoveryReport.torn).toBeUndefined();
  },
);

test('I11: after a failed sync nothing is acknowledged until the store was recovered from disk', async () => {
  const directory = await freshDirectory();
  const fails: { when: (operation: FileOperation) => Error | undefined } = { when: never };
  const store = await open(directory, { fileSystem: faulty(fails) });
  await store.phase.update({ phase: 'json-primary' });
  const first = await create(store, { notes: 'acknowledged' });
  const [segment] = await segmentsOf(directory);
  let failed = false;
  fails.when = ({ kind, path }) => {
    if (failed) return path.includes('state-') ? fileError('EIO') : undefined;
    if (kind !== 'fdatasync' || path !== segment) return undefined;
    failed = true;
    return fileError('EIO');
  };
  const [unknown, waiting] = await Promise.allSettled([
    create(store, { notes: 'unknown' }),
    Promise.resolve().then(() => Promise.resolve().then(() => create(store))),
  ]);
  expect(unknown).toMatchObject({ status: 'rejected', reason: { code: 'outcome-unknown' } });
  expect(waiting).toMatchObject({ status: 'rejected', reason: { status: 503 } });
  // As long as the disk can't be read back, too.
  await expect(create(store)).rejects.toMatchObject({ code: 'storage-failed' });
  await expect(store.checkpoint()).rejects.toMatchObject({ code: 'storage-failed' });
  expect(await store.get(expense, first.id)).toEqual(first);
  fails.when = never;
  const later = await until('the store serves again', () =>
    create(store, { notes: 'later' }).catch(() => undefined),
  );
  // The batch in doubt was whole on disk: recovered, it is durable in a new segment, and seen.
  expect((await allTexts(store)).map((text) => JSON.parse(text).notes)).toEqual([
    'later',
    'unknown',
    'acknowledged',
  ]);
  expect(later.id).toBe(3);
  expect(await segmentsOf(directory)).not.toEqual([segment]);
  expect(store.outbox.head()).toBe(3);
  expect((await store.outbox.read(0, 10)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  const before = await contentOf(store);
  await store.close();
  expect(await contentOf(await open(directory))).toEqual(before);
});

test('I11: a disk that is full during a checkpoint leaves the files and the store as they are', async () => {
  const directory = await freshDirectory();
  const fails: { when: (operation: FileOperation) => Error | undefined } = { when: never };
  const store = await open(directory, { fileSystem: faulty(fails) });
  await create(store);
  await store.checkpoint();
  const before = await readRecords(directory);
  await create(store);
  for (const part of ['draft-', 'state-', 'manifest.json', 'journal-']) {
    fails.when = ({ kind, path }) =>
      (kind === 'write' || kind === 'create') && path.includes(part)
        ? fileError('ENOSPC')
        : undefined;
    await expect(store.checkpoint(), part).rejects.toMatchObject({ code: 'storage-full' });
    expect(await readRecords(directory)).toEqual(before);
    fails.when = never;
    await create(store);
  }
  await store.checkpoint();
  expect(await readRecords(directory)).toHaveLength(6);
  const content = await contentOf(store);
  await store.close();
  const again = await open(directory);
  expect(await contentOf(again)).toEqual(content);
  expect(again.externalEdits()).toEqual([]);
});

test('I11: a rename that fails in a checkpoint is tried again by the next one', async () => {
  const directory = await freshDirectory();
  const fails: { when: (operation: FileOperation) => Error | undefined } = { when: never };
  const store = await open(directory, { fileSystem: faulty(fails) });
  await create(store);
  fails.when = ({ kind, path }) =>
    kind === 'rename' && path === join(directory, 'incomes.json') ? fileError('EIO') : undefined;
  await expect(store.checkpoint()).rejects.toMatchObject({ code: 'storage-failed' });
  const copy = await freshDirectory();
  await cp(directory, copy, { recursive: true });
  fails.when = never;
  await create(store);
  await store.checkpoint();
  expect(await readRecords(directory)).toHaveLength(2);
  const again = await open(copy);
  expect(await allTexts(again)).toHaveLength(1);
  expect(again.externalEdits()).toEqual([]);
});

test('I11: a manifest that is not known to be replaced makes the store recover', async () => {
  const directory = await freshDirectory();
  const fails: { when: (operation: FileOperation) => Error | undefined } = { when: never };
  const store = await open(directory, { fileSystem: faulty(fails) });
  const { text } = await create(store);
  fails.when = ({ kind, path }) =>
    kind === 'sync-directory' && path.endsWith('.tandem') ? fileError('EIO') : undefined;
  await expect(store.phase.update({ sealed: true })).rejects.toMatchObject({
    code: 'outcome-unknown',
  });
  await expect(create(store)).rejects.toMatchObject({ code: 'storage-failed' });
  fails.when = never;
  await until('the phase can be changed', () =>
    store.phase.update({ sealed: false }).then(
      () => true,
      () => false,
    ),
  );
  await create(store);
  expect(await allTexts(store)).toContain(text);
  expect(await allTexts(store)).toHaveLength(2);
});

test('I1: every batch is synced before it is acknowledged, and writers share a sync', async () => {
  const directory = await freshDirectory();
  let syncs = 0;
  let unsynced = 0;
  const fileSystem = interceptFileSystem(realFileSystem, (operation) => {
    if (!inJournal(operation)) return;
    if (operation.kind === 'write') unsynced++;
    if (operation.kind === 'fdatasync') {
      syncs++;
      unsynced = 0;
    }
  });
  const store = await open(directory, { fileSystem });
  await create(store);
  const before = syncs;
  await Promise.all(
    Array.from({ length: 64 }, async () => {
      for (let round = 0; round < 5; round++) await create(store);
    }),
  );
  expect(unsynced).toBe(0);
  expect(syncs - before).toBeGreaterThanOrEqual(5);
  expect(syncs - before).toBeLessThan(20);
});

test('I11: a store that was closed cleanly opens and reads on a full disk', async () => {
  const directory = await freshDirectory();
  const store = await open(directory);
  const { text } = await create(store);
  await store.close();
  const fails = {
    when: ({ kind }: FileOperation) => (WRITES.has(kind) ? fileError('ENOSPC') : undefined),
  };
  const again = await open(directory, { fileSystem: faulty(fails) });
  expect(await allTexts(again)).toEqual([text]);
  await expect(create(again)).rejects.toMatchObject({ code: 'storage-full' });
});
