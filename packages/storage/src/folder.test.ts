import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeFolder } from './folder.ts';

async function place(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tandem-folder-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test('makes what is missing with its mode, and leaves alone what is there', async () => {
  const folder = join(await place(), 'a/b/c');
  await Promise.all([makeFolder(folder, 0o700), makeFolder(folder, 0o700)]);
  await makeFolder(folder);
  for (const one of [folder, join(folder, '..')]) {
    expect((await stat(one)).mode & 0o777).toBe(0o700);
  }
});

test('ends where nothing can be made, naming the folder', async () => {
  await expect(makeFolder('/proc/nope/json')).rejects.toThrow(/'\/proc\/nope'/);
});

test('names the file that stands in the way', async () => {
  const folder = await place();
  const file = join(folder, 'file');
  await writeFile(file, '');
  await expect(makeFolder(file)).rejects.toThrow(`'${file}'`);
  await expect(makeFolder(join(file, 'data'))).rejects.toThrow(file);
  const nowhere = join(folder, 'nowhere');
  await symlink(join(folder, 'gone'), nowhere);
  await expect(makeFolder(nowhere)).rejects.toThrow(`'${nowhere}'`);
});
