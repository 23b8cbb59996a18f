import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { sendSignal } from './send-signal.ts';

test('a process gets its signal, and one that has ended is no error, nor is its group', async () => {
  const child = spawn('sleep', ['60'], { detached: true });
  const pid = child.pid as number;
  expect(sendSignal(pid, 'SIGTERM')).toBe(true);
  expect(await once(child, 'exit')).toEqual([null, 'SIGTERM']);
  expect(sendSignal(pid, 'SIGTERM')).toBe(false);
  expect(sendSignal(-pid, 'SIGTERM')).toBe(false);
});
