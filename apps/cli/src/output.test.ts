import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, expect, test } from 'vitest';

const dataDir = mkdtempSync(join(tmpdir(), 'tandem-cli-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

const MAIN = join(import.meta.dirname, 'main.ts');

/** Starts `tandem token list`, which needs nothing but the folder. */
const listing = (stdout: number | 'pipe') =>
  spawn(process.execPath, [MAIN, 'token', 'list'], {
    stdio: ['ignore', stdout, 'pipe'],
    env: { ...process.env, DATA_DIR: dataDir },
  });

test('output that nobody reads ends nothing, output that is lost is a failure', async () => {
  const unread = listing('pipe');
  // Long before it prints: `tandem token list | true`.
  unread.stdout?.destroy();
  const lost = listing(openSync('/dev/full', 'w'));
  const told = [unread, lost].map(async (child) => {
    if (child.stderr === null) throw new Error('Its standard error is a pipe.');
    const [said, [exitCode]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    return { said, exitCode };
  });
  const [ofUnread, ofLost] = await Promise.all(told);
  expect(ofUnread).toEqual({ said: '', exitCode: 0 });
  expect(ofLost?.exitCode).toBe(1);
  expect(ofLost?.said).toMatch(/^The output could not be written: ENOSPC[^\n]*\n$/);
});
