//   began ──> reached, rest, reached, rest … ──> ended
//               │        └ as long as live requests need
//               └ a line in the log every few seconds; `current` at any time
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '../log.ts';
import type { Store } from '../store.ts';
import { describeProgress, type Progress, progressOf } from './progress.ts';
import { nextDuty, restMs } from './throttle.ts';

const LOG_INTERVAL_MS = 5_000;
/** How often the throttle decides anew. */
const LOOK_INTERVAL_MS = 250;
const DELAY_RESOLUTION_MS = 5;
const NANOSECONDS_A_MS = 1e6;
const NAMES = { json: 'JSON', postgres: 'PostgreSQL' } as const;

/** A catch-up under way. */
export interface CatchUpStatus extends Progress {
  readonly towards: Store['name'];
  /** ISO instant. */
  readonly since: string;
  /** Share of the time it works in; below 1 it gives way to live requests. */
  readonly duty: number;
}

interface Run {
  readonly towards: Store['name'];
  readonly total: number;
  readonly since: string;
  readonly beganMs: number;
  readonly delay: ReturnType<typeof monitorEventLoopDelay>;
  done: number;
  duty: number;
  loggedMs: number;
  lookedMs: number;
  /** Since when it works without rest. */
  workingMs: number;
}

/** One a process: how far its catch-up is, and how much it takes from the live requests beside it. */
export class CatchUpWatch {
  readonly #log: Log;
  #run: Run | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  get current(): CatchUpStatus | undefined {
    const run = this.#run;
    if (run === undefined) return undefined;
    const { towards, since, duty, done, total, beganMs } = run;
    return { towards, since, duty, ...progressOf(done, total, performance.now() - beganMs) };
  }

  /** What is waited for, to follow "waiting for"; `null` while none runs. */
  get waitingFor(): string | null {
    const { current } = this;
    if (current === undefined) return null;
    return `${NAMES[current.towards]} to be brought up to date by difference: ${describeProgress(current)}.`;
  }

  /** @returns to be called at the end */
  began(towards: Store['name'], total: number): () => void {
    const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
    delay.enable();
    const now = performance.now();
    const run: Run = {
      ...{ towards, total, delay, since: new Date().toISOString(), beganMs: now },
      ...{ done: 0, duty: 1, loggedMs: now, lookedMs: now, workingMs: now },
    };
    this.#run = run;
    return () => {
      delay.disable();
      if (this.#run === run) this.#run = undefined;
    };
  }

  reached(done: number): void {
    const run = this.#run;
    if (run === undefined) return;
    run.done = done;
    const now = performance.now();
    if (now - run.loggedMs < LOG_INTERVAL_MS) return;
    run.loggedMs = now;
    const { current } = this;
    if (current === undefined) return;
    const sentence = `Catch-up towards ${NAMES[run.towards]}: ${describeProgress(current)}`;
    this.#log.info({ ...current }, sentence);
  }

  /** Waits as long as live requests need, by what the event loop's delay says of them. */
  async rest(signal?: AbortSignal): Promise<void> {
    const run = this.#run;
    if (run === undefined) return;
    const now = performance.now();
    if (now - run.lookedMs >= LOOK_INTERVAL_MS) {
      const delayMs = run.delay.percentile(90) / NANOSECONDS_A_MS - DELAY_RESOLUTION_MS;
      run.delay.reset();
      run.duty = nextDuty(run.duty, delayMs);
      run.lookedMs = now;
    }
    const ms = restMs(run.duty, now - run.workingMs);
    if (ms >= 1) {
      await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    }
    run.workingMs = performance.now();
  }
}
