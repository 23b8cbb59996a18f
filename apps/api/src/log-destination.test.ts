import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';

/** Node's arguments for a script that has `log`. */
function argumentsFor(script: string): string[] {
  const program = `
    import { pino } from 'pino';
    import { logDestination } from './log-destination.ts';
    const log = pino({}, logDestination());
    ${script}`;
  return ['--input-type=module-typescript', '--eval', program];
}

/** Runs a script to its end, and gives what it printed to standard output and error. */
async function printed(script: string): Promise<{ messages: string[]; errors: string }> {
  const options = { cwd: import.meta.dirname };
  const run = await promisify(execFile)(process.execPath, argumentsFor(script), options).catch(
    (error: { stdout: string; stderr: string }) => error,
  );
  const lines = run.stdout.split('\n').filter((line) => line !== '');
  return { messages: lines.map((line) => JSON.parse(line).msg), errors: run.stderr };
}

describe('the log of a process', () => {
  test('has every line when the process ends by itself, exits, or crashes', async () => {
    const lines = `for (let n = 0; n < 3000; n++) log.info('line ' + n);`;
    const all = Array.from({ length: 3_000 }, (_, n) => `line ${n}`);
    expect((await printed(lines)).messages).toEqual(all);
    expect((await printed(`${lines} process.exit(3);`)).messages).toEqual(all);
    const crashed = await printed(`${lines} throw new Error('on purpose');`);
    expect(crashed.messages).toEqual(all);
    expect(crashed.errors).toContain('on purpose');
  });

  test('has a warning, and what was before it, even when the process is killed', async () => {
    const kill = `process.kill(process.pid, 'SIGKILL');`;
    const { messages } = await printed(`log.info('before'); log.warn('a warning'); ${kill}`);
    expect(messages).toEqual(['before', 'a warning']);
  });

  test('has a single line soon, while the process lives on', async () => {
    const child = spawn(
      process.execPath,
      argumentsFor(`log.info('soon'); setInterval(() => {}, 60_000);`),
      {
        cwd: import.meta.dirname,
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    onTestFinished(() => {
      child.kill('SIGKILL');
    });
    const [line] = await once(child.stdout.setEncoding('utf8'), 'data');
    expect(JSON.parse(line).msg).toBe('soon');
  });
});
