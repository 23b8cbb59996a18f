import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { loadCollections } from '../collections/index.ts';
import { silentLog } from '../log.ts';
import {
  filesBelow,
  freshDirectory,
  open,
  readRecords,
  writeLegacy,
} from '../testing/json-fixture.ts';
import { create } from '../testing/store-fixture.ts';
import { until } from '../testing/until.ts';
import { checkpointWherever, inspectJsonStore } from './index.ts';

const WRITER = join(import.meta.dirname, '../testing/json-writer-process.ts');
const collections = await loadCollections();

const checkpoint = (directory: string, timeoutMs = 20_000) =>
  checkpointWherever({ directory, collections, log: silentLog, timeoutMs });

/** Starts a process on the store and collects what it says. */
function start(directory: string, role: string): { child: ChildProcess; said: string[] } {
  const child = spawn(process.execPath, [WRITER, directory, role], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said: string[] = [];
  createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) =>
    said.push(line),
  );
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return { child, said };
}

const notes = (records: unknown[]) => records.map((record) => (record as { notes: string }).notes);

test('I7: a process that writes brings its files up when asked, again and again', async () => {
  const directory = await freshDirectory();
  const { child, said } = start(directory, 'write');
  for (let round = 0; round < 3; round++) {
    const before = said.length;
    await until('it writes', () => said.length > before + 10);
    const acknowledged = said.filter((line) => line !== 'open');
    expect(await checkpoint(directory)).toMatchObject({ pid: child.pid });
    expect(notes(await readRecords(directory))).toEqual(expect.arrayContaining(acknowledged));
  }
});

test('I7: without a holder it is done here, after a kill too', async () => {
  const directory = await freshDirectory();
  const { child, said } = start(directory, 'write');
  await until('it writes', () => said.length > 10);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await checkpoint(directory)).toBeNull();
  const acknowledged = said.filter((line) => line !== 'open');
  expect(notes(await readRecords(directory))).toEqual(expect.arrayContaining(acknowledged));
  expect((await inspectJsonStore(directory)).holder).toBeUndefined();
});

test('a holder that does not answer is named; one that lets go meanwhile is done without', async () => {
  const directory = await freshDirectory();
  // Without a name it answers nobody.
  const store = await open(directory);
  await create(store);
  await expect(checkpoint(directory, 300)).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringMatching(/ holds the JSON store and has not answered in time\.$/),
  });
  const asked = checkpoint(directory);
  await store.close();
  expect(await asked).toBeNull();
  expect(await readRecords(directory)).toHaveLength(1);
});

test('a folder that is no store yet is refused and left as it is', async () => {
  const directory = await freshDirectory();
  await writeLegacy(directory, '[]');
  const before = await filesBelow(directory);
  await expect(checkpoint(directory)).rejects.toMatchObject({ code: 'unavailable' });
  expect(await filesBelow(directory)).toEqual(before);
});
