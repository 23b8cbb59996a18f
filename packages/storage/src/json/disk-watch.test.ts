import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import {
  type FileOperation,
  fileError,
  interceptFileSystem,
} from '../testing/intercepted-file-system.ts';
import { contentOf, freshDirectory, open, readRecords } from '../testing/json-fixture.ts';
import { allTexts, create } from '../testing/store-fixture.ts';
import { until } from '../testing/until.ts';
import { realFileSystem } from './index.ts';

const PROBE_INTERVAL_MS = 10;

/** A disk that fails where it is told to. */
function faultyDisk() {
  const disk = {
    fails: (_operation: FileOperation): Error | undefined => undefined,
    fileSystem: interceptFileSystem(realFileSystem, (operation) => {
      const error = disk.fails(operation);
      if (error !== undefined) throw error;
    }),
  };
  return disk;
}

const isFull = ({ kind }: FileOperation): Error | undefined =>
  kind === 'write' || kind === 'create' ? fileError('ENOSPC') : undefined;
const FINE = { writes: undefined, checkpoints: undefined };
const isFine = (): undefined => undefined;

test('I11: a full disk is told with its beginning, and its end is found without a write', async () => {
  const directory = await freshDirectory();
  const disk = faultyDisk();
  const { fileSystem } = disk;
  const store = await open(directory, { fileSystem, probeIntervalMs: PROBE_INTERVAL_MS });
  const { text } = await create(store);
  expect(store.diskTrouble()).toEqual(FINE);
  disk.fails = isFull;
  await expect(create(store)).rejects.toMatchObject({ code: 'storage-full' });
  const { writes } = store.diskTrouble();
  expect(writes).toMatchObject({ since: expect.any(String), sentence: /is full: appending/ });
  await expect(store.checkpoint()).rejects.toMatchObject({ code: 'storage-full' });
  expect(store.diskTrouble()).toMatchObject({ writes, checkpoints: { sentence: /is full/ } });
  expect(await allTexts(store)).toEqual([text]);
  disk.fails = isFine;
  await until('it is fine again', () => isDeepStrictEqual(store.diskTrouble(), FINE));
  // The checkpoint that had failed was made, too.
  expect(await readRecords(directory)).toHaveLength(1);
});

test('I11: while a store is recovered from a failed sync it says so', async () => {
  const directory = await freshDirectory();
  const disk = faultyDisk();
  const store = await open(directory, { fileSystem: disk.fileSystem });
  await create(store);
  disk.fails = ({ kind }) =>
    kind === 'fdatasync' || kind === 'fsync' ? fileError('EIO') : undefined;
  await expect(create(store)).rejects.toMatchObject({ code: 'outcome-unknown' });
  expect(store.diskTrouble()).toMatchObject({ writes: { sentence: /EIO/ } });
  disk.fails = isFine;
  await until('it was recovered', () => store.diskTrouble().writes === undefined);
  await create(store);
});

test('I7: a stop whose last checkpoint fails says so, lets go of the lock, and loses nothing', async () => {
  const directory = await freshDirectory();
  const disk = faultyDisk();
  const store = await open(directory, { fileSystem: disk.fileSystem });
  await create(store);
  await store.checkpoint();
  await create(store);
  const content = await contentOf(store);
  disk.fails = isFull;
  await expect(store.close()).rejects.toMatchObject({ code: 'storage-full' });
  await expect(store.close()).rejects.toMatchObject({ code: 'storage-full' });
  expect(await readRecords(directory)).toHaveLength(1);
  const again = await open(directory);
  expect(await contentOf(again)).toEqual(content);
  await again.close();
  expect(await readRecords(directory)).toHaveLength(2);
});
