// What is looked at before anything is started: the data folder, the ports, and how a stop is asked.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@tandem/storage/log';
import { afterEach, expect, test } from 'vitest';
import { RestartBackoff } from './backoff.ts';
import { lockDataFolder } from './data-folder-lock.ts';
import { endLeftoverServices } from './leftover-services.ts';
import { findPorts } from './ports.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-start-'));
  folders.push(folder);
  return folder;
}

test('a data folder belongs to one process; another is told whose it is', async () => {
  const folder = join(newFolder(), 'data');
  const lock = await lockDataFolder(folder);
  await expect(lockDataFolder(folder)).rejects.toThrow(
    `The data folder ${folder} (DATA_DIR) is in use by process ${process.pid}; stop that one first, or choose another folder.`,
  );
  lock.release();
  (await lockDataFolder(folder)).release();
});

test('a data folder that can not be made is refused in one sentence', async () => {
  const file = join(newFolder(), 'file');
  writeFileSync(file, '');
  for (const folder of [join(file, 'data'), file, '/proc/nope']) {
    await expect(lockDataFolder(folder)).rejects.toThrow(
      `The data folder ${folder} (DATA_DIR) can't be made or written: `,
    );
  }
});

test('the services of a killed launcher are known to the next one, and waited for', async () => {
  const folder = newFolder();
  const entry = join(folder, 'service.mjs');
  writeFileSync(
    entry,
    `process.stdin.on('end', () => process.exit()).resume(); console.log('up');`,
  );
  const child = spawn(process.execPath, [entry], { stdio: ['pipe', 'pipe', 'ignore'] });
  await once(child.stdout, 'data');
  const services = [{ name: 'api', pid: child.pid as number, entry }];
  const first = await lockDataFolder(folder);
  first.note(services);
  expect(first.previous).toEqual([]);

  const ended = once(child, 'exit');
  const waited = endLeftoverServices(services, 20_000, silentLog);
  child.stdin.end();
  await Promise.all([waited, ended]);
  // Neither a process that is gone nor a stranger with its pid is waited for or ended.
  await endLeftoverServices(services, 0, silentLog);
  await endLeftoverServices([{ name: 'api', pid: process.pid, entry }], 0, silentLog);
  first.release();
});

test('a taken port is named with its variable', async () => {
  const holder = createServer();
  holder.listen(0, '127.0.0.1');
  await once(holder, 'listening');
  const { port } = holder.address() as { port: number };
  await expect(findPorts('127.0.0.1', [{ variable: 'WORKER_PORT', port }])).rejects.toThrow(
    `Port ${port} (WORKER_PORT) is already in use on 127.0.0.1.`,
  );
  holder.close();
  await once(holder, 'close');
  const twice = ['PORT', 'WORKER_PORT'].map((variable) => ({ variable, port }));
  await expect(findPorts('127.0.0.1', twice)).rejects.toThrow(
    `Port ${port} (WORKER_PORT) is already in use on 127.0.0.1.`,
  );
  expect(await findPorts('127.0.0.1', [{ variable: 'PORT', port }])).toEqual([port]);
});

test('a host that is none of this machine is refused in one sentence', async () => {
  await expect(findPorts('192.0.2.1', [{ variable: 'PORT', port: 0 }])).rejects.toThrow(
    /^192\.0\.2\.1 \(HOST\) with port 0 \(PORT\) can't be listened on: /,
  );
});

test('restarts wait longer and longer up to 30 s, and shortly again after a steady run', () => {
  const backoff = new RestartBackoff();
  expect([0, 0, 0, 0, 0, 0, 0].map((ranMs) => backoff.next(ranMs) / 1000)).toEqual([
    1, 2, 4, 8, 16, 30, 30,
  ]);
  expect(backoff.next(60_000)).toBe(1_000);
});
