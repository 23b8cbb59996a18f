//            ┌────────── jobs ──────────┐
//            v                          │
//   start ─> working ── none left ──> idle ── wake / poll ──┐
//            │    ^                                         │
//            │    └──────────── applied again ───┐          │
//            │ secondary or queue unavailable    │          │
//            └──> paused: batch put back, WARN once, probing with backoff
//   stop(): finish the batch in hand (drain: until nothing waits), put back the rest ──> stopped
//
// While one batch is applied, the next is taken and the one before is settled.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection } from '../collections/index.ts';
import { sentenceOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { noObserver, type Observer } from '../observer.ts';
import type { StoreName } from '../phase/index.ts';
import type { Store } from '../store.ts';
import { applyBatch } from './apply-batch.ts';
import { readBacklog } from './backlog.ts';
import { type BackoffBounds, backoffMs, pause } from './backoff.ts';
import type { QueueClient } from './boss.ts';
import { jobsDueWithin, takeBackLapsed } from './claims.ts';
import { DirectionPause } from './direction-pause.ts';
import { QUEUES } from './job-sink.ts';
import { RECORD_FAILURES_MAX, settle } from './settle.ts';
import { takeBackSilentClaims } from './silent-claims.ts';
import { TakenJobs } from './taken-jobs.ts';

const BATCH_JOBS_MAX = 1_000;
const POLL_MS = 500;
/** A transaction costs as much as dozens of the jobs in it: under steady load, after a batch that was not
 *  full, the next is left to grow for a moment. */
const GATHER_MS = 40;
const DRAIN_POLL_MS = 50;
const PROBE: BackoffBounds = { minMs: 250, maxMs: 5_000 };

export interface DirectionOptions {
  /** The secondary: which queue is worked, and what its jobs are applied to. */
  readonly direction: StoreName;
  readonly store: Store;
  readonly queues: QueueClient;
  readonly collections: readonly Collection[];
  readonly log: Log;
  readonly observer?: Observer;
  /** This process alone may work the direction (it holds the JSON lock): jobs that are marked as fetched
   *  are a dead predecessor's, and come back at once. */
  readonly exclusive?: boolean;
  readonly batchJobsMax?: number;
  readonly recordFailuresMax?: number;
  readonly probe?: BackoffBounds;
}

export type DirectionState = 'working' | 'idle' | 'paused' | 'stopped';

export interface DirectionStatus {
  readonly direction: StoreName;
  readonly state: DirectionState;
  /** Jobs that ended here since the start, whatever their end. */
  readonly settled: number;
  /** ISO instant. */
  readonly pausedSince?: string;
  readonly pausedBecause?: string;
}

export interface DirectionWorker {
  status(): DirectionStatus;
  /** Jobs arrived: look now. */
  wake(): void;
  /**
   * Finishes the batch in hand, works on until nothing waits or the deadline has passed, and puts back
   * the rest. 0 drains nothing. Idempotent.
   */
  stop(options: { readonly drainTimeoutMs: number }): Promise<void>;
}

/** Starts working one direction. It never throws into the process that runs it. */
export function startDirection(options: DirectionOptions): DirectionWorker {
  return new RunningDirection(options);
}

class RunningDirection implements DirectionWorker {
  readonly #options: DirectionOptions;
  readonly #queue: string;
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  readonly #pause: DirectionPause;
  readonly #endTakingBack: () => void;
  /** Ends the idle wait. */
  #nudge = new AbortController();
  #drainUntilMs = Number.POSITIVE_INFINITY;
  #next: Promise<TakenJobs> | undefined;
  /** Being applied. */
  #inHand: TakenJobs | undefined;
  #settling: Promise<void> = Promise.resolve();
  #state: DirectionState = 'working';
  #settled = 0;
  /** How many jobs to take at most: 1 after an outage, as many as had room where they are large, doubled with
   *  every batch that went through. A batch that is itself too much for the secondary (large records, a slow
   *  disk) would otherwise be taken again and again, with one probe between. */
  #jobsMax = Number.POSITIVE_INFINITY;
  #started = false;
  /** The last batch was all there was, and that was little. */
  #tookFew = false;

  constructor(options: DirectionOptions) {
    this.#options = options;
    this.#queue = QUEUES[options.direction];
    const { direction, log, queues } = options;
    const named = { direction, queue: this.#queue, log };
    this.#pause = new DirectionPause({ ...named, waiting: () => this.#waiting() });
    this.#endTakingBack = takeBackSilentClaims({
      ...named,
      pool: queues.pool,
      isPaused: () => this.#isPaused,
      onTakenBack: () => this.wake(),
    });
    this.#ended = this.#run();
  }

  status(): DirectionStatus {
    const { current } = this.#pause;
    return {
      direction: this.#options.direction,
      state: this.#state,
      settled: this.#settled,
      ...(current === undefined
        ? {}
        : { pausedSince: current.since, pausedBecause: current.because }),
    };
  }

  get #isPaused(): boolean {
    return this.#pause.current !== undefined;
  }

  wake(): void {
    this.#nudge.abort();
  }

  async stop({ drainTimeoutMs }: { readonly drainTimeoutMs: number }): Promise<void> {
    this.#drainUntilMs = Math.min(this.#drainUntilMs, performance.now() + drainTimeoutMs);
    this.#stopping.abort();
    this.wake();
    await this.#ended;
  }

  async #run(): Promise<void> {
    let attempt = 0;
    while (!this.#isOver()) {
      try {
        const worked = await this.#step();
        if (worked) {
          attempt = 0;
          if (this.#tookFew) await pause(GATHER_MS, this.#stopping.signal);
        } else if (!this.#stopping.signal.aborted) await this.#waitForJobs();
        else if (await this.#isDrained()) break;
        else await sleep(DRAIN_POLL_MS);
      } catch (error) {
        await this.#pauseFor(error);
        if (this.#stopping.signal.aborted) break;
        await pause(backoffMs(attempt++, this.#options.probe ?? PROBE), this.#stopping.signal);
      }
    }
    await this.#putDown();
    this.#endTakingBack();
    this.#state = 'stopped';
  }

  #isOver(): boolean {
    return this.#stopping.signal.aborted && performance.now() >= this.#drainUntilMs;
  }

  /** Nothing to fetch is not enough: the claims of a worker that died, or of this one from before an
   *  outage, come back when they lapse. */
  async #isDrained(): Promise<boolean> {
    const { pool } = this.#options.queues;
    if (this.#options.exclusive === true) await takeBackLapsed(pool, this.#queue, 0);
    const spanMs = Math.max(0, this.#drainUntilMs - performance.now());
    return (await jobsDueWithin(pool, this.#queue, spanMs)) === 0;
  }

  /** One batch. @returns false when there was none */
  async #step(): Promise<boolean> {
    const { store, collections, queues, direction, observer = noObserver } = this.#options;
    if (!this.#started) {
      if (this.#options.exclusive === true) await takeBackLapsed(queues.pool, this.#queue, 0);
      this.#started = true;
    }
    const batch = await this.#takeNext();
    const { jobs } = batch;
    if (jobs.length === 0) {
      await this.#settling;
      // Nothing waits, so nothing proved that the secondary is well.
      if (this.#isPaused) await store.idHighWater();
      this.#pause.end();
      return false;
    }
    this.#inHand = batch;
    this.#tookFew = jobs.length < this.#batchSize() && !batch.isCut;
    this.#state = this.#isPaused ? 'paused' : 'working';
    if (jobs.length === this.#batchSize() && !this.#isOver()) this.#takeAhead();
    const startedMs = performance.now();
    const outcomes = await applyBatch(jobs, store, collections);
    observer.applied({ direction, startedMs, endedMs: performance.now(), jobs: outcomes });
    this.#jobsMax = batch.isCut ? jobs.length : this.#jobsMax * 2;
    this.#pause.end();
    await this.#settling;
    this.#inHand = undefined;
    this.#settling = this.#settle(batch, outcomes);
    // Whoever awaits it next gets the error; until then it must not count as unhandled.
    this.#settling.catch(() => undefined);
    return true;
  }

  async #settle(batch: TakenJobs, outcomes: Parameters<typeof settle>[1]): Promise<void> {
    const { direction, log, observer = noObserver, recordFailuresMax } = this.#options;
    const context = { direction, log, observer };
    let say = (): void => {};
    await batch.settle(async (client) => {
      say = await settle(client, outcomes, {
        ...context,
        recordFailuresMax: recordFailuresMax ?? RECORD_FAILURES_MAX,
      });
    });
    say();
    this.#settled += outcomes.length;
  }

  async #takeNext(): Promise<TakenJobs> {
    const ahead = await this.#next;
    this.#next = undefined;
    // What was taken ahead and came back empty is old news.
    return ahead === undefined || ahead.jobs.length === 0 ? this.#take() : ahead;
  }

  /** While paused a single job probes the secondary: only a write proves that it takes writes. */
  #batchSize(): number {
    if (this.#isPaused) return 1;
    return Math.min(this.#jobsMax, this.#options.batchJobsMax ?? BATCH_JOBS_MAX);
  }

  #takeAhead(): void {
    if (this.#isPaused) return;
    this.#next = this.#take();
    this.#next.catch(() => undefined);
  }

  async #take(): Promise<TakenJobs> {
    const { queues } = this.#options;
    // Also says so when the queue is not there, or not current.
    await queues.ready();
    return TakenJobs.take(queues.pool, this.#queue, this.#batchSize());
  }

  async #waitForJobs(): Promise<void> {
    this.#state = 'idle';
    await pause(POLL_MS, this.#nudge.signal);
    this.#nudge = new AbortController();
  }

  /** Settles what was applied and puts back the rest; neither may fail the caller. */
  async #putDown(): Promise<void> {
    const ahead = this.#next?.then((taken) => taken.putBack());
    await Promise.allSettled([ahead, this.#settling, this.#inHand?.putBack()]);
    this.#next = undefined;
    this.#inHand = undefined;
    this.#settling = Promise.resolve();
  }

  async #pauseFor(error: unknown): Promise<void> {
    await this.#putDown();
    this.#jobsMax = 1;
    this.#state = 'paused';
    await this.#pause.for(sentenceOf(error));
  }

  async #waiting(): Promise<number | undefined> {
    try {
      return (await readBacklog(this.#options.queues.pool)).queues[this.#queue]?.waiting;
    } catch {
      return undefined; // The server that can't be asked is the pause's own reason.
    }
  }
}
