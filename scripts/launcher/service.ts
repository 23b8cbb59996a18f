//   start() ──> running ──ended by itself──> waiting (1 s … 30 s) ──> running
//                  │ exit 78, or ended before it was ever ready: `failed` resolves, no restart
//                  │ (exit 75, what it needs is away, is like any other end)
//                  │ stop(): SIGTERM ── deadline ──> SIGKILL
//                  └─> stopped
//
// The process is in a group of its own, so that a terminal's Ctrl-C does not reach it, and holds our
// end of a pipe as its stdin: should this process be killed, the pipe closes and it stops by itself.
import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendSignal } from '@tandem/embedded-postgres';
import type { Log } from '@tandem/storage/log';
import { FAILPOINT_VARIABLE } from '@tandem/storage/phase';
import { RestartBackoff } from './backoff.ts';
import { onWholeLines } from './whole-lines.ts';

/** `EX_CONFIG` of sysexits.h: the configuration is wrong, and a restart would not help. */
export const EXIT_CONFIGURATION = 78;
/** `EX_TEMPFAIL`: what the process needs is away; its last sentence says what. */
const EXIT_TEMPORARY = 75;

const READY_PROBE_INTERVAL_MS = 100;
const READY_PROBE_TIMEOUT_MS = 2_000;

export interface ServiceOptions {
  readonly name: string;
  /** The TypeScript file to run. */
  readonly entry: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Answers 200 when it is ready. */
  readonly readyUrl: string;
  readonly stopTimeoutMs: number;
  readonly log: Log;
  /** Takes the lines that it writes, as they come. */
  readonly lines: (texts: readonly string[]) => void;
  /** Told whenever its pid changes. */
  readonly changed: () => void;
}

/** What is read of the answer of `/readyz`. */
interface ReadyAnswer {
  readonly dependencies?: Readonly<Record<string, { readonly status: string }>>;
}

/** Why a service can't run. */
export interface ServiceFailure {
  readonly exitCode: number;
  readonly sentence: string;
}

/** How a stop went. */
export type Stopped = 'cleanly' | 'with an error' | 'killed' | 'was not running';

export class Service {
  readonly name: string;
  readonly entry: string;
  /** Resolves if it can't run: it refused its configuration, or never became ready. */
  readonly failed: Promise<ServiceFailure>;
  readonly #options: ServiceOptions;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #fail: (failure: ServiceFailure) => void;
  readonly #stopping = new AbortController();
  readonly #backoff = new RestartBackoff();
  #child: ChildProcess | undefined;
  #ended: Promise<void> = Promise.resolve();
  #wasReady = false;
  #lastSentence = '';

  constructor(options: ServiceOptions) {
    this.#options = options;
    this.#environment = { ...options.environment, TANDEM_LIFELINE: '1' };
    this.name = options.name;
    this.entry = options.entry;
    const { promise, resolve } = Promise.withResolvers<ServiceFailure>();
    this.failed = promise;
    this.#fail = resolve;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Whether it has answered that it is ready, at least once. */
  get isReady(): boolean {
    return this.#wasReady;
  }

  start(): void {
    const startedAt = performance.now();
    const child = spawn(process.execPath, [this.entry], {
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: this.#environment,
    });
    this.#child = child;
    // Writing is never done; an EPIPE after its end has no meaning.
    child.stdin.on('error', () => {});
    for (const stream of [child.stdout, child.stderr]) {
      onWholeLines(stream, (texts) => this.#lines(texts));
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ended = promise;
    child.once('error', (error) => {
      this.#lastSentence = error.message;
    });
    // "close" comes after the last of its output, "exit" may come before.
    child.once('close', (code, signal) => {
      this.#child = undefined;
      this.#options.changed();
      resolve();
      this.#onEnd(code, signal, performance.now() - startedAt);
    });
    this.#options.changed();
  }

  /** Resolves true when it answers that it is ready; false when the signal aborts first. */
  async waitUntilReady(signal: AbortSignal): Promise<boolean> {
    return this.#waitUntil(signal, async (answer) => {
      await answer.body?.cancel();
      return true;
    });
  }

  /** Resolves true when it is ready and no dependency of this name fails; false when the signal aborts first. */
  async waitUntilUp(dependency: string, signal: AbortSignal): Promise<boolean> {
    return this.#waitUntil(signal, async (answer) => {
      const { dependencies = {} } = (await answer.json()) as ReadyAnswer;
      return ['up', 'unused', undefined].includes(dependencies[dependency]?.status);
    });
  }

  async #waitUntil(
    signal: AbortSignal,
    isEnough: (ready: Response) => Promise<boolean>,
  ): Promise<boolean> {
    while (!signal.aborted) {
      try {
        const answer = await fetch(this.#options.readyUrl, {
          signal: AbortSignal.timeout(READY_PROBE_TIMEOUT_MS),
        });
        if (answer.status === 200) {
          this.#wasReady = true;
          if (await isEnough(answer)) return true;
        } else await answer.body?.cancel();
      } catch {
        // Not listening yet; `failed` tells when it never will.
      }
      await sleep(READY_PROBE_INTERVAL_MS);
    }
    return false;
  }

  /** Ends it, by force after its deadline. Resolves when it is gone. */
  async stop(): Promise<Stopped> {
    this.#stopping.abort();
    const child = this.#child;
    if (child === undefined) return this.#wasReady ? 'was not running' : 'cleanly';
    child.kill('SIGTERM');
    let late = false;
    const deadline = setTimeout(() => {
      late = true;
      this.kill();
    }, this.#options.stopTimeoutMs);
    await this.#ended;
    clearTimeout(deadline);
    if (late) return 'killed';
    // Early in its start it has no handler yet, and holds nothing that a handler would have to close.
    const wasEarly = !this.#wasReady && child.signalCode === 'SIGTERM';
    return child.exitCode === 0 || wasEarly ? 'cleanly' : 'with an error';
  }

  /** Ends it and whatever it started at once. */
  kill(): void {
    this.#stopping.abort();
    const pid = this.#child?.pid;
    if (pid !== undefined) sendSignal(-pid, 'SIGKILL');
  }

  /** A drill ends a process once: what is started again runs without the failpoint. */
  #startAgain(): void {
    delete this.#environment[FAILPOINT_VARIABLE];
    this.start();
  }

  #lines(texts: readonly string[]): void {
    for (const text of texts) {
      const sentence = sentenceIn(text);
      if (sentence !== undefined) this.#lastSentence = sentence;
    }
    this.#options.lines(texts);
  }

  #onEnd(code: number | null, signal: NodeJS.Signals | null, ranMs: number): void {
    if (this.#stopping.signal.aborted) return;
    const how = signal === null ? `with status ${code}` : `by ${signal}`;
    if (code === EXIT_CONFIGURATION) {
      const sentence = this.#lastSentence || `The ${this.name} refused its configuration.`;
      this.#fail({ exitCode: EXIT_CONFIGURATION, sentence });
    } else if (!this.#wasReady && code === EXIT_TEMPORARY) {
      this.#fail({ exitCode: EXIT_TEMPORARY, sentence: this.#lastSentence });
    } else if (!this.#wasReady) {
      const sentence = `The ${this.name} ended ${how} before it was ready; its last lines say why.`;
      this.#fail({ exitCode: 1, sentence });
    } else {
      const waitMs = this.#backoff.next(ranMs);
      this.#options.log.error(
        { service: this.name, code, signal, waitMs },
        `The ${this.name} ended ${how}; it is started again in ${waitMs / 1000} s.`,
      );
      sleep(waitMs, undefined, { signal: this.#stopping.signal }).then(
        () => this.#startAgain(),
        () => {
          // Stopped while it waited: it stays ended.
        },
      );
    }
  }
}

/** How the log line of a request or a change begins, of which there may be thousands a second. */
const QUIET_LINE = /^\{"level":[1-4]\d,/;

/** The sentence of a plain line, or of a JSON log line that tells of an error. */
function sentenceIn(text: string): string | undefined {
  if (!text.startsWith('{')) return text.trim() === '' ? undefined : text.trim();
  if (QUIET_LINE.test(text)) return undefined;
  try {
    const { level, msg } = JSON.parse(text);
    return typeof msg === 'string' && level >= 50 ? msg : undefined;
  } catch {
    return undefined;
  }
}
