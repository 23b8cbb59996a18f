import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test, vi } from 'vitest';
import { loadCollections } from '../collections/index.ts';
import { fileError, interceptFileSystem } from '../testing/intercepted-file-system.ts';
import { freshDirectory, open, writeLegacy } from '../testing/json-fixture.ts';
import { create } from '../testing/store-fixture.ts';
import { until } from '../testing/until.ts';
import {
  acquireJsonStore,
  type HandoverRequest,
  inspectJsonStore,
  realFileSystem,
  requestHandover,
} from './index.ts';

const ACQUIRE_TIMEOUT_MS = 10_000;
const WRITER = join(import.meta.dirname, '../testing/json-writer-process.ts');

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

test('I3: one process holds the store; another is refused with its name; it ends with the process', async () => {
  const directory = await freshDirectory();
  const { child, said } = start(directory, 'hold');
  await until('the other process holds the store', () => said.includes('open'));
  const error = await open(directory).catch((thrown) => thrown);
  expect(error).toMatchObject({
    code: 'lock-held',
    detail: { holder: { pid: child.pid, processName: 'writer hold' } },
  });
  expect(error.message).toContain(`writer hold (process ${child.pid}`);
  expect(await inspectJsonStore(directory)).toMatchObject({
    kind: 'store',
    holder: { pid: child.pid },
    phase: { phase: 'json-only', epoch: 1 },
  });
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect((await inspectJsonStore(directory)).holder).toBeUndefined();
  await create(await open(directory));
});

test('I3: a second opening in the same process is refused too', async () => {
  const directory = await freshDirectory();
  const store = await open(directory);
  await expect(open(directory)).rejects.toMatchObject({ code: 'lock-held' });
  await store.close();
  await store.close();
  await open(directory);
});

test('a holder hands the store over to a process that asks', async () => {
  const directory = await freshDirectory();
  const holder = start(directory, 'hold');
  await until('it is held', () => holder.said.includes('open'));
  const taker = start(directory, 'acquire');
  await until('it was taken over', () => taker.said.includes('closed'));
  await until('the holder has let go', () => holder.said.includes('released'));
  expect(holder.said).toEqual(['open', 'asked by writer acquire', 'released']);
  await until('the holder has ended', () => holder.child.exitCode === 0);
  const store = await open(directory);
  const asked: HandoverRequest[] = [];
  store.onHandoverRequested((request) => asked.push(request));
  const withdraw = await requestHandover(directory, { pid: process.pid, processName: 'third' });
  await until('the new request is heard', () => asked.length > 0);
  expect(asked.map(({ processName }) => processName)).toEqual(['third']);
  await withdraw();
  await withdraw();
});

test('I11: a full disk has no room for the request: whoever waits is told so, and nothing is left of it', async () => {
  const directory = await freshDirectory();
  await open(directory);
  const fileSystem = interceptFileSystem(realFileSystem, ({ kind, path }) => {
    if (kind === 'write' && path.includes('/handover/')) throw fileError('ENOSPC');
  });
  const options = { directory, fileSystem, collections: await loadCollections() };
  const waiting = acquireJsonStore(options, { timeoutMs: ACQUIRE_TIMEOUT_MS });
  await expect(waiting).rejects.toMatchObject({ code: 'storage-full' });
  expect(await readdir(join(directory, '.tandem/handover'))).toEqual([]);
});

test('requests of the dead and of those who gave up are ignored, those of a slow clock are not', async () => {
  const directory = await freshDirectory();
  const store = await open(directory);
  const asked: string[] = [];
  store.onHandoverRequested(({ processName }) => asked.push(processName));
  const gone = spawn(process.execPath, ['-e', '']);
  await once(gone, 'exit');
  await requestHandover(directory, { pid: gone.pid ?? 0, processName: 'dead' });
  await requestHandover(directory, { pid: process.pid, processName: 'late', lifeMs: -1 });
  await writeFile(join(directory, '.tandem/handover/request'), '{"half');
  await requestHandover(directory, { pid: process.pid, processName: 'living' });
  await until('the living one is heard', () => asked.length > 0);
  expect(asked).toEqual(['living']);
  // Its clock is slow: to it the request has 60 s left.
  const slow = { id: 'a slow one', pid: 1, host: 'elsewhere', processName: 'slow', lifeMs: 60_000 };
  const untilPast = new Date(Date.now() - 10 * 60_000).toISOString();
  const text = JSON.stringify({ ...slow, until: untilPast });
  await writeFile(join(directory, '.tandem/handover/request'), text);
  await until('the slow one is heard', () => asked.length > 1);
  expect(asked).toEqual(['living', 'slow']);
  // To another holder it may be what somebody left who has died.
  await store.close();
  const next = await open(directory);
  next.onHandoverRequested(({ processName }) => asked.push(processName));
  await requestHandover(directory, { pid: process.pid, processName: 'third' });
  await until('the third is heard', () => asked.length > 2);
  expect(asked).toEqual(['living', 'slow', 'third']);
});

test('a look from outside works beside a holder that writes, and never disturbs', async () => {
  const directory = await freshDirectory();
  const empty = await freshDirectory();
  expect(await inspectJsonStore(empty)).toMatchObject({ kind: 'empty', head: 0 });
  await writeLegacy(empty, '[]');
  expect(await inspectJsonStore(empty)).toMatchObject({ kind: 'legacy', holder: undefined });
  const { child, said } = start(directory, 'write');
  await until('it writes', () => said.length > 10);
  for (let look = 0; look < 200; look++) {
    const seen = await inspectJsonStore(directory);
    expect(seen).toMatchObject({ kind: 'store', holder: { pid: child.pid } });
  }
  const store = await open(empty);
  await store.phase.update({ phase: 'json-primary' });
  let last = 0;
  for (let round = 0; round < 20; round++) {
    await create(store);
    if (round % 7 === 0) await store.checkpoint();
    const { head } = await inspectJsonStore(empty);
    expect(head).toBe(round + 1);
    expect(head).toBeGreaterThan(last);
    last = head;
  }
});

test('whoever waits for the lock gives up in time, also while the clock is set back', async () => {
  const directory = await freshDirectory();
  await open(directory);
  const stopped = vi.spyOn(Date, 'now').mockReturnValue(Date.now());
  onTestFinished(() => stopped.mockRestore());
  const options = { directory, collections: await loadCollections() };
  const signal = AbortSignal.timeout(ACQUIRE_TIMEOUT_MS);
  const waiting = acquireJsonStore(options, { timeoutMs: 100, signal });
  await expect(waiting).rejects.toMatchObject({ code: 'lock-held' });
});
