//            ┌── order: verify, repair ──> carried out, its progress told
//   idle ────┤
//            └── due by the schedule ────> verify of what changed, now and then of everything
//   It runs where the JSON store is held: there both stores are at hand.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection } from '../collections/index.ts';
import { sentenceOf, TandemError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Store } from '../store.ts';
import type {
  BackfillResult,
  ConsistencyOrder,
  ConsistencyOrders,
  OrderResult,
  OrderScope,
} from './consistency-orders.ts';
import type { DirtyMarks } from './dirty-ranges.ts';
import type { DivergenceLedger } from './divergence-ledger.ts';
import type { ComparedStores } from './looks.ts';
import type { Progress } from './progress.ts';
import { type RepairOptions, repair } from './repair.ts';
import { type VerifyOptions, verify } from './verify.ts';
import type { VerifyMode, VerifyRun, VerifyRuns, Watermark } from './verify-run.ts';

const LOOK_INTERVAL_MS = 500;
const FAILURE_INTERVAL_MS = 5_000;
const TELL_INTERVAL_MS = 2_000;
/** What is scheduled is in no hurry; what an operator asked for is waited for. */
const SCHEDULED_PATIENCE_MS = 30_000;
const ORDERED_PATIENCE_MS = 15_000;

/** Between two runs, in ms; `null` never. */
export interface VerifySchedule {
  readonly changedMs: number | null;
  readonly fullMs: number | null;
}

export interface KeeperOptions extends ComparedStores {
  readonly primary: Store;
  readonly secondary: Store;
  readonly collections: readonly Collection[];
  readonly runs: VerifyRuns;
  readonly ledger: DivergenceLedger;
  readonly marks: DirtyMarks;
  readonly orders: ConsistencyOrders;
  readonly dropDecided: RepairOptions['dropDecided'];
  /** As `VerifyOptions.writes`. */
  readonly writes?: () => number;
  /** Where the primary stands now. */
  readonly watermark: () => Watermark;
  /** As `VerifyOptions.epochNow`. */
  readonly epochNow: NonNullable<VerifyOptions['epochNow']>;
  /** Why the stores can't be compared now, in one sentence; `undefined` when they can. */
  readonly notNow: () => Promise<string | undefined>;
  readonly schedule: VerifySchedule;
  /** Brings the secondary up by difference. */
  readonly backfill: (watched: {
    readonly signal: AbortSignal;
    readonly onProgress: (progress: Progress) => void;
  }) => Promise<BackfillResult>;
  /** Names this process to whoever reads an order. */
  readonly holder: string;
  readonly log: Log;
}

/** Carries out orders, and verifies by a schedule. */
export interface ConsistencyKeeper {
  /** Gives up what it is doing. Idempotent. */
  stop(): Promise<void>;
}

/** Starts it. It never throws into the process that runs it. */
export function keepConsistency(options: KeeperOptions): ConsistencyKeeper {
  const keeper = new RunningKeeper(options);
  return { stop: () => keeper.stop() };
}

class RunningKeeper {
  readonly #options: KeeperOptions;
  readonly #stopping = new AbortController();
  readonly #ended: Promise<void>;
  #changedAtMs: number;
  /** `undefined` until the runs there were have been asked. */
  #fullAtMs: number | undefined;
  /** The differences that were logged last. */
  #said = '';

  constructor(options: KeeperOptions) {
    this.#options = options;
    const { changedMs } = options.schedule;
    this.#changedAtMs = performance.now() + (changedMs ?? Number.POSITIVE_INFINITY);
    this.#ended = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new TandemError('unavailable', 'The process stops, or the phase moves.'));
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    let problem: string | undefined;
    while (!signal.aborted) {
      let waitMs = LOOK_INTERVAL_MS;
      try {
        await this.#look();
        problem = undefined;
      } catch (error) {
        waitMs = FAILURE_INTERVAL_MS;
        const sentence = sentenceOf(error);
        // PostgreSQL may be away for long; whoever probes it has said so.
        if (sentence !== problem && !signal.aborted) {
          this.#options.log.debug({ error: sentence }, 'Consistency: nothing could be looked at');
        }
        problem = sentence;
      }
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const { orders, holder, notNow } = this.#options;
    const order = await orders.take(holder);
    if (order !== undefined) return this.#carryOut(order);
    this.#fullAtMs ??= await this.#firstFullMs();
    const now = performance.now();
    if (now < Math.min(this.#changedAtMs, this.#fullAtMs)) return;
    // What a catch-up left as it was has no mark.
    if ((await notNow()) !== undefined) {
      this.#fullAtMs = now;
      return;
    }
    const mode = now >= this.#fullAtMs ? 'full' : 'changed';
    const { schedule } = this.#options;
    this.#changedAtMs = now + (schedule.changedMs ?? Number.POSITIVE_INFINITY);
    // One that fails is begun again when the next cheap one would be.
    if (mode === 'full') this.#fullAtMs = now + this.#pauseMs;
    this.#say(await this.#verify(mode, { patienceMs: SCHEDULED_PATIENCE_MS }));
    if (mode === 'full') this.#fullAtMs = now + (schedule.fullMs ?? Number.POSITIVE_INFINITY);
  }

  /**
   * Counted from the last one, not from the start: a process that starts every day would never get to
   * one. Without one in this epoch it is due soon: what a switch left as it was has no mark.
   */
  async #firstFullMs(): Promise<number> {
    const { runs, primary, watermark, schedule } = this.#options;
    const now = performance.now();
    if (schedule.fullMs === null) return Number.POSITIVE_INFINITY;
    const since = await runs.sinceFull(primary.name, watermark().epoch);
    const restMs = since === null ? 0 : schedule.fullMs - since;
    return now + Math.max(this.#pauseMs, restMs);
  }

  /** Before a full run: a process that starts, or one that failed, does something else first. */
  get #pauseMs(): number {
    const { changedMs, fullMs } = this.#options.schedule;
    const longest = Number.POSITIVE_INFINITY;
    return Math.min(changedMs ?? longest, fullMs ?? longest);
  }

  async #carryOut(order: ConsistencyOrder): Promise<void> {
    const { orders, log } = this.#options;
    const { id, what } = order;
    const alive = setInterval(() => void this.#tell(order), TELL_INTERVAL_MS);
    let [state, result]: ['done' | 'failed', OrderResult] = ['failed', { problem: 'unknown' }];
    try {
      result = await this.#do(order, what);
      state = 'done';
    } catch (error) {
      // What was begun goes on from where it is: by whoever holds the JSON store next.
      if (this.#stopping.signal.aborted) return;
      result = { problem: sentenceOf(error) };
      log.warn({ order: id, what: what.kind }, `The ${what.kind} failed: ${result.problem}`);
    } finally {
      clearInterval(alive);
      this.#progress = null;
    }
    await orders.finish(order, state, result);
  }

  #progress: ConsistencyOrder['progress'] = null;

  async #tell(order: ConsistencyOrder): Promise<void> {
    await this.#options.orders.tell(order, this.#progress).catch(() => undefined);
  }

  async #do({ actor, reason }: ConsistencyOrder, what: OrderScope): Promise<OrderResult> {
    if (what.kind === 'backfill') return this.#backfill();
    const problem = await this.#options.notNow();
    if (problem !== undefined) throw new TandemError('unavailable', problem);
    if (what.kind === 'verify') {
      const run = await this.#verify(what.mode, {
        patienceMs: ORDERED_PATIENCE_MS,
        onProgress: (progress) => {
          this.#progress = progress;
        },
      });
      return { runId: run.id, outcome: run.outcome };
    }
    const { scope, keep, dryRun } = what;
    const { watermark, log } = this.#options;
    const result = await repair(
      { scope, keep, dryRun, actor, reason },
      {
        ...this.#options,
        epoch: watermark().epoch,
        signal: this.#stopping.signal,
        onProgress: async (progress) => {
          this.#progress = progress;
        },
      },
    );
    if (!dryRun) log.info({ ...result.counts, actor }, `Repair: ${result.matched} looked at`);
    return result;
  }

  /** One that began by itself is waited for first; after it there is little left to do. */
  async #backfill(): Promise<BackfillResult> {
    const { backfill, notNow, log } = this.#options;
    const { signal } = this.#stopping;
    while ((await notNow()) !== undefined) await sleep(LOOK_INTERVAL_MS, undefined, { signal });
    const onProgress = (progress: Progress) => {
      this.#progress = progress;
    };
    const result = await backfill({ signal, onProgress });
    const { seen, applied, remaining, rest } = result;
    const left = rest === null ? 'nothing differs' : rest;
    const level = remaining === 0 ? 'info' : 'warn';
    log[level](
      { seen, applied, remaining },
      `Backfill: ${applied} of ${seen} were missing; ${left}`,
    );
    return result;
  }

  #verify(
    mode: VerifyMode,
    options: Pick<VerifyOptions, 'patienceMs' | 'onProgress'>,
  ): Promise<VerifyRun> {
    const { signal } = this.#stopping;
    const watermark = this.#options.watermark();
    return verify({ ...this.#options, ...options, mode, watermark, signal });
  }

  #say({ id, outcome, counts, seen }: VerifyRun): void {
    const { log } = this.#options;
    if (outcome !== 'differences') {
      this.#said = '';
      log.info({ run: id, outcome, seen }, `Verify ${id}: ${outcome}`);
      return;
    }
    const sentence = `Verify ${id}: the stores differ; "tandem divergences list" says where`;
    // Once, until it is another number of differences.
    const said = JSON.stringify(counts);
    log[said === this.#said ? 'debug' : 'warn']({ run: id, outcome, seen, counts }, sentence);
    this.#said = said;
  }
}
