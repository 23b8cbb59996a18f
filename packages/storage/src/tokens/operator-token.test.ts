import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { silentLog } from '../log.ts';
import { recordingLog } from '../testing/index.ts';
import { operatorToken } from './operator-token.ts';

async function freshDataDir(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tandem-token-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return join(directory, 'data');
}

const of = (dataDir: string, token?: string) =>
  operatorToken({ dataDir, operatorToken: token }, silentLog);

test('a configured token is taken, and no file made', async () => {
  const dataDir = await freshDataDir();
  expect(await of(dataDir, 'a-configured-token')).toBe('a-configured-token');
  await expect(stat(dataDir)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('without one a token is made once, for its owner alone, whoever starts at the same time', async () => {
  const dataDir = await freshDataDir();
  const tokens = await Promise.all(Array.from({ length: 8 }, () => of(dataDir)));
  expect(new Set(tokens).size).toBe(1);
  expect(tokens[0]).toMatch(/^tdmo_[0-9A-Za-z]{49}$/);
  const path = join(dataDir, 'operator-token');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await readFile(path, 'utf8')).trim()).toBe(tokens[0]);
  expect(await readdir(dataDir)).toEqual(['operator-token']);
  expect(await of(dataDir)).toBe(tokens[0]);
  expect(await of(await freshDataDir())).not.toBe(tokens[0]);
});

test('a file that others could read is closed to them, with a warning', async () => {
  const dataDir = await freshDataDir();
  const token = await of(dataDir);
  const path = join(dataDir, 'operator-token');
  await chmod(path, 0o644);
  const log = recordingLog();
  expect(await operatorToken({ dataDir, operatorToken: undefined }, log)).toBe(token);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(log.sentences('warn')).toEqual([expect.stringContaining('could be read by others')]);
});

test('a file without a token refuses the start by name', async () => {
  const dataDir = await freshDataDir();
  await of(dataDir);
  const path = join(dataDir, 'operator-token');
  const cut = (await readFile(path, 'utf8')).trim().slice(0, -1);
  for (const text of ['short', cut]) {
    await writeFile(path, `${text}\n`);
    await expect(of(dataDir)).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining(path),
    });
  }
});

test('a data folder that can not be made names itself and the way around', async () => {
  const dataDir = await freshDataDir();
  await writeFile(dataDir, 'a file where the folder should be');
  await expect(of(dataDir)).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringMatching(/operator-token can't be .+; OPERATOR_TOKEN does without it\.$/),
  });
});
