import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fileError } from '../testing/intercepted-file-system.ts';
import { freshDirectory } from '../testing/json-fixture.ts';
import { type FileSystem, realFileSystem } from './file-system.ts';
import { markServing, othersServing } from './serving-mark.ts';

/** The disk, on which a lock can be taken and nothing be written into its file. */
const failingWith = (code: 'ENOSPC' | 'EIO'): FileSystem => ({
  ...realFileSystem,
  lock: async (path) => {
    const lock = await realFileSystem.lock(path);
    return lock && { ...lock, describe: () => Promise.reject(fileError(code)) };
  },
});

test('I11: a full disk keeps no process from serving: the mark stands without its description', async () => {
  const directory = await freshDirectory();
  const path = join(directory, '.tandem/serving', String(process.pid));
  const mark = await markServing(directory, 'api', failingWith('ENOSPC'));
  expect(await realFileSystem.isLocked(path)).toBe(true);
  await mark.release();
  expect(await realFileSystem.isLocked(path)).toBe(false);
});

test('a mark that fails otherwise is refused in a sentence, and let go', async () => {
  const directory = await freshDirectory();
  const path = join(directory, '.tandem/serving', String(process.pid));
  const marking = markServing(directory, 'api', failingWith('EIO'));
  await expect(marking).rejects.toMatchObject({ code: 'storage-failed' });
  expect(await realFileSystem.isLocked(path)).toBe(false);
});

test('I3: two processes of one id, each in its container, see each other serve', async () => {
  const directory = await freshDirectory();
  const mark = await markServing(directory, 'api');
  expect(await othersServing(directory)).toEqual([]);
  await mark.release();
  const another = await realFileSystem.lock(join(directory, '.tandem/serving', `${process.pid}`));
  const second = await markServing(directory, 'api');
  expect(await othersServing(directory)).toEqual([`process ${process.pid}`]);
  await another?.release();
  expect(await othersServing(directory)).toEqual([]);
  await second.release();
});
