//   start() ──> running ──ended──> waiting ──> running        kill(), suspend(), resume()
//                  └─ stop(): SIGTERM, past its deadline SIGKILL ──> stopped
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Timeline } from './timeline.ts';

const RESTART_MS = 300;
/** The product's own deadline is 60 s. */
const STOP_TIMEOUT_MS = 75_000;
/** What a process may end with by itself: what it needs is away. */
const EXPECTED = [0, 75];
/** After it was asked to stop: files may be behind. */
const EXPECTED_OF_A_STOP = [0, 1, 75];

export interface MemberOptions {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  readonly environment: NodeJS.ProcessEnv;
  readonly logFile: string;
  readonly timeline: Timeline;
}

/** A process of the system, started again whenever it ends, as a supervisor does. */
export class Member {
  readonly #options: MemberOptions;
  #child: ChildProcess | undefined;
  #wanted = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** Ends that neither the chaos nor the product's own rules explain. */
  readonly unexpected: string[] = [];
  #lastStatus: number | NodeJS.Signals | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: MemberOptions) {
    this.#options = options;
    this.#wanted.abort();
  }

  get name(): string {
    return this.#options.name;
  }

  get isWanted(): boolean {
    return !this.#wanted.signal.aborted;
  }

  start(): void {
    if (this.isWanted) return;
    const wanted = new AbortController();
    this.#wanted = wanted;
    // A stop may still be under way.
    this.#running = this.#running.then(() => this.#keepRunning(wanted.signal));
  }

  /** One at a time starts and stops it; `kill` and the like need not wait. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  kill(): void {
    this.#child?.kill('SIGKILL');
  }

  suspend(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  /** @returns how it ended; `undefined` when it was not running */
  async stop(): Promise<number | NodeJS.Signals | undefined> {
    this.#wanted.abort();
    this.#lastStatus = undefined;
    this.resume();
    this.#child?.kill('SIGTERM');
    const deadline = setTimeout(() => {
      this.unexpected.push(`${this.name} did not stop within ${STOP_TIMEOUT_MS} ms`);
      this.kill();
    }, STOP_TIMEOUT_MS);
    await this.#running;
    clearTimeout(deadline);
    return this.#lastStatus;
  }

  async #keepRunning(wanted: AbortSignal): Promise<void> {
    const { name, timeline } = this.#options;
    while (!wanted.aborted) {
      const child = this.#spawn();
      this.#child = child;
      timeline.note(`${name} started, pid ${child.pid}`);
      const status = await new Promise<number | NodeJS.Signals>((settle) => {
        child.once('error', () => settle(-1));
        child.once('exit', (code, signal) => settle(signal ?? code ?? -1));
      });
      this.#child = undefined;
      this.#lastStatus = status;
      timeline.note(`${name} ended with ${status}`);
      const expected = wanted.aborted ? EXPECTED_OF_A_STOP : EXPECTED;
      if (typeof status === 'number' && !expected.includes(status)) {
        this.unexpected.push(`${name} ended with status ${status}`);
      }
      await sleep(RESTART_MS, undefined, { signal: wanted }).catch(() => undefined);
    }
  }

  /** It holds our end of a pipe: should this process be killed, it stops by itself. */
  #spawn(): ChildProcess {
    const { command, environment, logFile } = this.#options;
    const [program, ...args] = command;
    const log = openSync(logFile, 'a');
    const env = { ...environment, TANDEM_LIFELINE: '1' };
    const child = spawn(program, args, { stdio: ['pipe', log, log], env });
    closeSync(log);
    child.stdin?.on('error', () => {}); // Nothing is ever written.
    return child;
  }
}
