//   feature_flags ──NOTIFY──┐
//   every second ───────────┼──> look ──> settle (2 s, phase/desired-phase.ts) ──> current, onDesired
//   a candidate is due ─────┘      └─ can't be read: the last values stand, one WARN
import { performance } from 'node:perf_hooks';
import type { Pool } from 'pg';
import { sentenceOf, TandemError } from '../errors.ts';
import type { Log } from '../log.ts';
import {
  FLAG_NAMES,
  type FlagTable,
  type Phase,
  type PhaseFlags,
  type ResolvedFlags,
  resolveFlags,
  type SettlingFlags,
  settleFlags,
  settlesInMs,
  sightFlags,
} from '../phase/index.ts';
import { listen } from '../replication/listen.ts';
import { readPhaseFlags } from './flags.ts';

const CHANNEL = 'tandem_flags';
/** Where no notification arrives (a transaction pooler, a cut connection), looking does. */
const POLL_INTERVAL_MS = 1_000;
/** A server that does not answer for this long can't be read. */
const READ_TIMEOUT_MS = 5_000;

export interface FlagWatchOptions {
  /** Stays the caller's. */
  readonly pool: Pool;
  /** `FF_…` of this process's environment. */
  readonly lockedFlags: Partial<PhaseFlags>;
  /** What was seen before this process began, e.g. in the JSON manifest. */
  readonly lastKnown: () => PhaseFlags | null;
  readonly log: Log;
  /** Between two looks that nothing called for; 1 s if not given. */
  readonly pollIntervalMs?: number;
}

type OnDesired = (flags: ResolvedFlags) => void;

/**
 * What the flags ask for, followed for as long as the process runs:
 *
 *     const watch = new FlagWatch({ pool, lockedFlags, lastKnown, log });
 *     watch.onDesired(({ desired }) => …); await watch.start();
 *     … await watch.stop();
 */
export class FlagWatch {
  readonly #options: FlagWatchOptions;
  readonly #listeners = new Set<OnDesired>();
  readonly #stopping = new AbortController();
  #settling: SettlingFlags | null = null;
  #unreadableSince: string | undefined;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #timer: NodeJS.Timeout | undefined;
  #unlisten: (() => Promise<void>) | undefined;

  constructor(options: FlagWatchOptions) {
    this.#options = options;
  }

  /** Looks once, so that `current` is known, and goes on looking. Never throws. */
  async start(): Promise<void> {
    const { pool, log } = this.#options;
    const look = () => this.#look();
    this.#unlisten = listen(pool, { channel: CHANNEL, onNotified: look, onListening: look }, log);
    this.#look();
    await this.#looking;
  }

  /** The flags that count now, each with its source and reason. */
  current(): ResolvedFlags {
    if (this.#settling !== null) return this.#settling.current;
    const table = { read: false, why: 'feature_flags was not read yet.' } as const;
    const { lockedFlags, lastKnown } = this.#options;
    return sightFlags(lockedFlags, table, lastKnown()).resolved;
  }

  /** The phase that the flags ask for; `undefined` where the table was never read and not all of them are locked: it
   *  is not `false`. */
  get asked(): Phase | undefined {
    const { lockedFlags, lastKnown } = this.#options;
    const isLocked = FLAG_NAMES.every((name) => lockedFlags[name] !== undefined);
    const isKnown = isLocked || this.tableFlags() !== null || lastKnown() !== null;
    return isKnown ? this.current().desired : undefined;
  }

  /** The phase that rows of the table ask for at this moment, unsettled, resolved as this process does. */
  desiredBy(rows: Partial<PhaseFlags>): Phase {
    return resolveFlags(this.#options.lockedFlags, { read: true, rows }, null).desired;
  }

  /** What the table alone says, for the manifest's last-known flags; `null` until it was read. */
  tableFlags(): PhaseFlags | null {
    return this.#settling?.table ?? null;
  }

  /**
   * Calls back when the first look was made and whenever another phase is desired than before.
   * @returns ends it
   */
  onDesired(callback: OnDesired): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /** Nothing is called back after it. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await Promise.all([this.#looking, this.#unlisten?.()]);
  }

  /** One look at a time; what is said during one is looked at by another. */
  #look(): void {
    if (this.#stopping.signal.aborted) return;
    this.#lookAgain = true;
    this.#looking ??= this.#lookWhileAsked().finally(() => {
      this.#looking = undefined;
    });
  }

  async #lookWhileAsked(): Promise<void> {
    while (this.#lookAgain && !this.#stopping.signal.aborted) {
      this.#lookAgain = false;
      clearTimeout(this.#timer);
      this.#fold(await this.#read());
      const dueInMs = this.#settling === null ? undefined : settlesInMs(this.#settling, now());
      const { pollIntervalMs = POLL_INTERVAL_MS } = this.#options;
      const waitMs = Math.min(pollIntervalMs, dueInMs ?? pollIntervalMs);
      this.#timer = setTimeout(() => this.#look(), waitMs);
      this.#timer.unref();
    }
  }

  #fold(table: FlagTable): void {
    if (this.#stopping.signal.aborted) return;
    const { lockedFlags, lastKnown } = this.#options;
    const before = this.#settling;
    const sighting = sightFlags(lockedFlags, table, before?.table ?? lastKnown());
    this.#settling = settleFlags(before, sighting, now());
    const { current } = this.#settling;
    if (before?.current.desired === current.desired) return;
    for (const listener of this.#listeners) listener(current);
  }

  async #read(): Promise<FlagTable> {
    const { pool, log } = this.#options;
    try {
      const rows = await withinReadTimeout(readPhaseFlags(pool), this.#stopping.signal);
      if (this.#unreadableSince !== undefined) {
        const since = this.#unreadableSince;
        this.#unreadableSince = undefined;
        log.info({ since }, `feature_flags can be read again, it could not since ${since}.`);
      }
      return { read: true, rows };
    } catch (error) {
      const why = `feature_flags can't be read: ${sentenceOf(error)}`;
      if (this.#unreadableSince === undefined && !this.#stopping.signal.aborted) {
        this.#unreadableSince = new Date().toISOString();
        log.warn({ since: this.#unreadableSince }, `${why} The last values stand.`);
      }
      return { read: false, why };
    }
  }
}

const now = (): number => performance.now();

/** Rejects when the read takes too long, or is not waited for any more. */
async function withinReadTimeout<T>(read: Promise<T>, stopping: AbortSignal): Promise<T> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(READ_TIMEOUT_MS)]);
  const late = new Promise<never>((_, reject) => {
    const give = () =>
      reject(new TandemError('unavailable', `It does not answer within ${READ_TIMEOUT_MS} ms.`));
    if (signal.aborted) give();
    else signal.addEventListener('abort', give, { once: true });
  });
  return Promise.race([read, late]);
}
