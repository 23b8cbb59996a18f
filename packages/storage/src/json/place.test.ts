import { lstat, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { contentOf, filesBelow, freshDirectory, open } from '../testing/json-fixture.ts';
import { recordingLog } from '../testing/recording-log.ts';
import { create } from '../testing/store-fixture.ts';
import { markServing, realFileSystem } from './index.ts';

test('a folder that can not be made, or is none, is refused with its name', async () => {
  const directory = await freshDirectory();
  const file = join(directory, 'file');
  await writeFile(file, '');
  for (const place of ['/proc/nope/json', file, join(file, 'json')]) {
    const refused = { code: 'refused-to-open', message: expect.stringContaining(place) };
    await expect(open(place)).rejects.toMatchObject(refused);
    await expect(markServing(place, 'test')).rejects.toMatchObject(refused);
  }
  expect(await filesBelow(directory)).toEqual({ '/file': '' });
});

test('I7: a checkpoint file that is a symbolic link is refused, at the opening and later', async () => {
  const directory = await freshDirectory();
  const elsewhere = join(await freshDirectory(), 'mine.json');
  const path = join(directory, 'expenses.json');
  await writeFile(elsewhere, '[]');
  await symlink(elsewhere, path);
  const refused = { code: 'refused-to-open', detail: { file: path } };
  await expect(open(directory)).rejects.toMatchObject(refused);
  expect(await readFile(elsewhere, 'utf8')).toBe('[]');
  await rename(elsewhere, path);
  const store = await open(directory);
  await create(store);
  await store.checkpoint();
  // Moved away and linked while the store is open: the link stays, and nothing is lost.
  await rename(path, elsewhere);
  await symlink(elsewhere, path);
  const before = await readFile(elsewhere, 'utf8');
  await create(store);
  await expect(store.checkpoint()).rejects.toMatchObject(refused);
  const content = await contentOf(store);
  await expect(store.close()).rejects.toMatchObject(refused);
  expect((await lstat(path)).isSymbolicLink()).toBe(true);
  expect(await readFile(elsewhere, 'utf8')).toBe(before);
  await rename(elsewhere, path);
  const again = await open(directory);
  expect(await contentOf(again)).toEqual(content);
  expect(again.externalEdits()).toEqual([]);
});

test('I7: the folder itself may be a symbolic link', async () => {
  const home = await freshDirectory();
  await mkdir(join(home, 'real'));
  await symlink(join(home, 'real'), join(home, 'link'));
  const store = await open(join(home, 'link'));
  await create(store);
  await store.close();
  expect(JSON.parse(await readFile(join(home, 'real/expenses.json'), 'utf8'))).toHaveLength(1);
});

test.each([
  ['NFS', 0x6969],
  ['CIFS', 0xff534d42 | 0],
  ['9p', 0x01021997],
  ['FUSE', 0x65735546],
  [undefined, 0xef53],
])('a folder on %s (0x%s) is warned about, a local one is not', async (kind, type) => {
  const log = recordingLog();
  const fileSystem = { ...realFileSystem, typeOf: async () => type };
  await open(await freshDirectory(), { fileSystem, log });
  const warnings = log.lines.filter(({ sentence }) => sentence.includes('file system'));
  expect(warnings).toHaveLength(kind === undefined ? 0 : 1);
  if (kind !== undefined) expect(warnings[0]?.sentence).toContain(` a ${kind} file system`);
});
