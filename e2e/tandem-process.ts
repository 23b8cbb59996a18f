// A real "npm start", as a terminal would run it, for tests.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sendSignal } from '@tandem/embedded-postgres';
import { afterAll, onTestFinished, vi } from 'vitest';

export const root = join(import.meta.dirname, '..');

const READY_TIMEOUT_MS = 45_000;
const STOP_TIMEOUT_MS = 45_000;
const PROBE_INTERVAL_MS = 25;

/** Variables of the tests' own environment that would choose for Tandem. */
const OURS =
  /^(FF_|OTEL_|OPERATOR_TOKEN$|CLIENT_TOKENS$|ALLOW_ANONYMOUS_CLIENTS$|RATE_LIMIT_|MEMORY_LIMIT$|TRUSTED_PROXIES$|CORS_ORIGIN$|SHADOW_READ_RATE$|VERIFY_|DATABASE_URL$|DATA_DIR$|JSON_DIR$|HOST$|(WORKER_)?PORT$|LOG_)/;

/** This process's environment without any of Tandem's variables, and with the given ones. */
export function environmentWith(variables: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !OURS.test(name));
  return { ...Object.fromEntries(inherited), ...variables };
}

let ofTheFile: (() => unknown)[] | undefined;

/** Called at the top of a file: what is started in it lives until all its tests have finished, and not
 *  only the one in which it is started. */
export function keepForAllTests(): void {
  const kept: (() => unknown)[] = [];
  ofTheFile = kept;
  afterAll(async () => {
    for (const end of kept.reverse()) await end();
  });
}

function atTheEnd(end: () => unknown): void {
  if (ofTheFile === undefined) onTestFinished(async () => void (await end()));
  else ofTheFile.push(end);
}

/** An empty folder, removed when the test has finished. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-e2e-'));
  atTheEnd(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface RunningProcess {
  readonly pid: number;
  /** Standard output and error, so far. */
  output(): string;
  /** Standard error, so far. */
  errors(): string;
  /** Resolves with the exit status, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** Resolves when the output has the text or matches; throws when the process ends before that. */
  prints(text: string | RegExp, timeoutMs?: number): Promise<void>;
}

/** Starts a command in a process group of its own; whatever is left of it when the test has finished
 *  is asked to stop, then killed. */
export function startProcess(
  command: readonly [string, ...string[]],
  environment: NodeJS.ProcessEnv,
): RunningProcess {
  const [program, ...args] = command;
  const child = spawn(program, args, {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment,
  });
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    errors += text;
  });
  let over: number | NodeJS.Signals | undefined;
  const ended = new Promise<number | NodeJS.Signals>((settle, fail) => {
    child.once('error', fail);
    child.once('close', (code, signal) => {
      over = signal ?? code ?? 1;
      settle(over);
    });
  });
  atTheEnd(() => endProcess(child, ended));
  const has = (text: string | RegExp) =>
    typeof text === 'string' ? output.includes(text) : text.test(output);
  return {
    pid: child.pid as number,
    output: () => output,
    errors: () => errors,
    ended,
    prints: (text, timeoutMs = READY_TIMEOUT_MS) =>
      vi.waitUntil(
        () => {
          if (has(text)) return true;
          if (over !== undefined) throw new Error(`It ended with ${over} before:\n${output}`);
          return false;
        },
        { timeout: timeoutMs, interval: PROBE_INTERVAL_MS },
      ) as Promise<unknown> as Promise<void>,
  };
}

async function endProcess(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const deadline = setTimeout(() => sendSignal(-(child.pid as number), 'SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(deadline);
}

export interface Tandem extends RunningProcess {
  /** Resolves with the API's origin when all of it is ready. */
  ready(): Promise<string>;
  /** Ctrl-C, delivered twice as a terminal and npm together do; resolves with the exit status. */
  interrupt(): Promise<number | NodeJS.Signals>;
}

/**
 * Starts Tandem on free ports. `DATA_DIR` must be among the variables.
 * @param command what runs the launcher; `npm start`'s own way unless told
 */
export function startTandem(
  variables: Readonly<Record<string, string>>,
  command: readonly [string, ...string[]] = [process.execPath, 'scripts/start.ts'],
): Tandem {
  const environment = environmentWith({ PORT: '0', WORKER_PORT: '0', ...variables });
  const running = startProcess(command, environment);
  return {
    ...running,
    async ready() {
      await running.prints('Tandem is ready.');
      await running.prints(/^ {2}API +http\S+$/m);
      const [, origin] = /^ {2}API +(http:\/\/[^/]+)/m.exec(running.output()) ?? [];
      return origin as string;
    },
    async interrupt() {
      // To the whole group, as a terminal's Ctrl-C.
      sendSignal(-running.pid, 'SIGINT');
      sendSignal(-running.pid, 'SIGINT');
      return running.ended;
    },
  };
}
