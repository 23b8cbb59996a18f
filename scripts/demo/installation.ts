// A Tandem of its own: a folder that goes when the demo ends, "npm start" in it, and its command line.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../root.ts';

const READY_TIMEOUT_MS = 180_000;
const REACH_TIMEOUT_MS = 120_000;
const LOOK_INTERVAL_MS = 50;
/** Variables of the terminal it is typed in that would choose for it. */
const CHOOSING =
  /^(?:FF_|OTEL_|OPERATOR_TOKEN$|CLIENT_TOKENS$|ALLOW_ANONYMOUS_CLIENTS$|RATE_LIMIT_|VERIFY_|SHADOW_READ_RATE$|DATABASE_URL$|DATA_DIR$|JSON_DIR$|HOST$|WORKER_PORT$|LOG_)/;
const LOG_SHOWN_CHARS = 2_000;

export interface Installation {
  /** The API's. */
  readonly origin: string;
  readonly jsonDir: string;
  readonly operatorToken: string;
  /** Runs `tandem …`. @returns what it printed @throws {Error} when it fails */
  tandem(...args: string[]): Promise<string>;
  /** Resolves when the phase is desired and effective. */
  reached(phase: string): Promise<void>;
  /** Resolves when it holds. @throws {Error} after two minutes, or when asked to stop */
  until(what: string, holds: () => Promise<boolean>): Promise<void>;
  /** The newest line of the log that matches. */
  logged(pattern: RegExp): string | undefined;
}

/**
 * Runs `work` in a new installation over legacy files, and leaves nothing of it.
 * @param legacy the files' records are made longer by so many
 * @returns once everything is stopped
 */
export async function withInstallation(
  legacy: (records: object[]) => object[],
  signal: AbortSignal,
  work: (installation: Installation) => Promise<void>,
): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), 'tandem-demo-'));
  const jsonDir = join(home, 'legacy');
  cpSync(join(root, 'docs', 'sample'), jsonDir, { recursive: true });
  const file = join(jsonDir, 'expenses.json');
  const records = legacy(JSON.parse(readFileSync(file, 'utf8')) as object[]);
  writeFileSync(file, `${JSON.stringify(records, undefined, 2)}\n`);
  const own = Object.entries(process.env).filter(([name]) => !CHOOSING.test(name));
  const dataDir = join(home, 'data');
  const environment = {
    ...{ PORT: '0', ...Object.fromEntries(own), WORKER_PORT: '0' },
    ...{ DATA_DIR: dataDir, JSON_DIR: jsonDir },
  };
  // A group of its own: a Ctrl-C reaches it from here, once, when the demo is ready for it.
  const service = spawn(process.execPath, ['scripts/start.ts'], {
    ...{ cwd: root, env: environment, detached: true, stdio: ['ignore', 'pipe', 'pipe'] as const },
  });
  let log = '';
  const add = (text: string) => {
    log += text;
  };
  service.stdout.setEncoding('utf8').on('data', add);
  service.stderr.setEncoding('utf8').on('data', add);
  const ended = new Promise<number | null>((settle) => service.once('close', settle));

  const until = async (
    what: string,
    holds: () => Promise<boolean>,
    timeoutMs = REACH_TIMEOUT_MS,
  ) => {
    const deadlineMs = performance.now() + timeoutMs;
    while (!(await holds())) {
      signal.throwIfAborted();
      if (service.exitCode !== null) throw new Error('Tandem ended.');
      if (performance.now() > deadlineMs) throw new Error(`${what} took too long.`);
      await sleep(LOOK_INTERVAL_MS);
    }
  };
  try {
    await until('The start', async () => log.includes('Tandem is ready.'), READY_TIMEOUT_MS);
    const origin = /API +(http:\/\/[^/\s]+)/.exec(log)?.[1] as string;
    await work({
      ...{ origin, jsonDir, until },
      operatorToken: readFileSync(join(dataDir, 'operator-token'), 'utf8').trim(),
      tandem: (...args) => runTandem(args, { ...environment, PORT: new URL(origin).port }),
      reached: (phase) => until(`The move to ${phase}`, () => isIn(origin, phase)),
      logged: (pattern) => log.split('\n').findLast((line) => pattern.test(line)),
    });
  } catch (error) {
    if (!signal.aborted) console.error(log.slice(-LOG_SHOWN_CHARS));
    throw error;
  } finally {
    if (service.exitCode === null) service.kill('SIGINT');
    const status = await ended;
    rmSync(home, { recursive: true, force: true });
    if (status !== 0 && !signal.aborted) console.error(`Tandem ended with ${status}.`);
  }
}

async function isIn(origin: string, wanted: string): Promise<boolean> {
  const { phase } = (await (await fetch(`${origin}/readyz`)).json()) as {
    phase: { desired: string; effective: string };
  };
  return phase.desired === wanted && phase.effective === wanted;
}

function runTandem(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<string> {
  const child = spawn(process.execPath, ['apps/cli/src/main.ts', ...args], {
    ...{ cwd: root, env: environment, stdio: ['ignore', 'pipe', 'pipe'] as const },
  });
  let data = '';
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    data += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  return new Promise((settle, fail) => {
    child.once('error', fail);
    child.once('close', (status) => {
      if (status === 0) settle(data.trimEnd());
      else fail(new Error(`tandem ${args.join(' ')} ended with ${status}: ${said}`));
    });
  });
}
