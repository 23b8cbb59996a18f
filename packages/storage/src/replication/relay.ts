//                 ┌──────────── error: back off, one WARN ────────────┐
//                 v                                                   │
//   start ──> connecting ──> (beforeRelay) ──> relaying ──> waiting ──┤
//                                                 ^            │      │
//                                                 └─ new items ┘      │
//   stop(): drains what it can within the deadline ──> stopped <──────┘
//
// One batch = one transaction: lock the cursor, read the outbox after it, insert the jobs, advance
// the cursor, commit. The cursor in PostgreSQL is the truth: whatever dies, and whether or not the
// answer to a COMMIT arrived, the next batch begins where the committed one ended (I2).
import type { Pool } from 'pg';
import type { Item } from '../changes/index.ts';
import { counted, waiting } from '../counted.ts';
import { sentenceOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { noObserver, type Observer } from '../observer.ts';
import { type BackoffBounds, backoffMs, pause, rejectsWith } from './backoff.ts';
import type { JobSink } from './job-sink.ts';
import type { Outbox } from './outbox.ts';
import type { RelayCursor } from './relay-cursor.ts';
import { checkCursor } from './relayed-journal.ts';
import { inTransaction } from './transaction.ts';

const BATCH_ITEMS_MAX = 1_000;
const BATCH_TIMEOUT_MS = 30_000;
/** As the worker does (`direction-worker.ts`): after a batch that was not full the next is left to grow. */
const GATHER_MS = 25;
/** An idle relay looks at its cursor this often. */
const IDLE_LOOK_MS = 10_000;
const BACKOFF: BackoffBounds = { minMs: 200, maxMs: 5_000 };

export interface RelayOptions {
  readonly outbox: Outbox;
  readonly pool: Pool;
  readonly jobs: JobSink;
  readonly cursor: RelayCursor;
  /** Names the outbox: the JSON store's pair id. */
  readonly pairId: string;
  readonly log: Log;
  readonly observer?: Observer;
  /**
   * Awaited after every (re)connection and before the first batch, e.g. to pair the stores and to
   * catch up by difference. What it throws counts as an outage: it is tried again. The signal
   * aborts when a stop has reached its deadline.
   */
  readonly beforeRelay?: (signal: AbortSignal) => Promise<void>;
  readonly batchItemsMax?: number;
  readonly idleLookMs?: number;
  readonly backoff?: BackoffBounds;
}

export type RelayState = 'connecting' | 'relaying' | 'waiting' | 'down' | 'stopped';

export interface RelayStatus {
  readonly state: RelayState;
  /** Outbox `seq` up to which the queue is known to have the items; `undefined` until it was read. */
  readonly cursor: number | undefined;
  /** Items the queue does not have yet; while the cursor is unknown, those not known to be there. */
  readonly pending: number;
  /** ISO instant since when it can't relay. */
  readonly downSince?: string;
  readonly lastError?: string;
}

export interface Relay {
  status(): RelayStatus;
  /** Drains within the deadline, then stops; items left stay in the outbox. Idempotent. */
  stop(options: { readonly drainTimeoutMs: number }): Promise<RelayStatus>;
}

/** Starts moving the outbox into the queue. It never throws into the process that runs it (I5). */
export function startRelay(options: RelayOptions): Relay {
  return new RunningRelay(options);
}

class RunningRelay implements Relay {
  readonly #options: RelayOptions;
  /** Ends waits: there is something to do now (stop, or the deadline of the drain). */
  readonly #stopping = new AbortController();
  readonly #cutOff = new AbortController();
  readonly #ended: Promise<void>;
  #state: RelayState = 'connecting';
  #cursor: number | undefined;
  /** The last batch was all there was, and that was little. */
  #relayedFew = false;
  #down: { since: string; error: string } | undefined;

  constructor(options: RelayOptions) {
    this.#options = options;
    this.#ended = this.#run();
  }

  status(): RelayStatus {
    const { outbox } = this.#options;
    return {
      state: this.#state,
      cursor: this.#cursor,
      pending: Math.max(0, outbox.head() - (this.#cursor ?? outbox.relayedSeq)),
      ...(this.#down === undefined
        ? {}
        : { downSince: this.#down.since, lastError: this.#down.error }),
    };
  }

  async stop({ drainTimeoutMs }: { readonly drainTimeoutMs: number }): Promise<RelayStatus> {
    this.#stopping.abort();
    const deadline = setTimeout(() => this.#cutOff.abort(), drainTimeoutMs);
    await this.#ended;
    clearTimeout(deadline);
    const status = this.status();
    if (status.pending > 0) {
      this.#options.log.warn(
        { pending: status.pending },
        `Relay: stopped with ${counted(status.pending, 'change')} waiting in the journal`,
      );
    }
    return status;
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#cutOff.signal.aborted; attempt++) {
      try {
        await this.#connected(() => {
          attempt = 0;
        });
        break;
      } catch (error) {
        // A drain makes one more try of what failed, and does not wait for an outage to end.
        const wasStopping = this.#stopping.signal.aborted;
        // Cut off by its own stop, nothing is down.
        if (!this.#cutOff.signal.aborted) this.#wentDown(error);
        if (wasStopping) break;
        await pause(backoffMs(attempt, this.#options.backoff ?? BACKOFF), this.#stopping.signal);
      }
    }
    this.#state = 'stopped';
  }

  /** Relays until stopped and drained. Throws when the connection or the preparation fails. */
  async #connected(onRelayed: () => void): Promise<void> {
    const { outbox, beforeRelay } = this.#options;
    if (this.#state !== 'down') this.#state = 'connecting';
    const { signal } = this.#cutOff;
    if (beforeRelay !== undefined) {
      await Promise.race([beforeRelay(signal), rejectsWith(signal)]);
    }
    while (!this.#cutOff.signal.aborted) {
      const cursor = await this.#relayBatch();
      this.#cameBack();
      onRelayed();
      this.#state = cursor < outbox.head() ? 'relaying' : 'waiting';
      if (this.#relayedFew) await pause(GATHER_MS, this.#stopping.signal);
      if (cursor < outbox.head()) continue;
      if (this.#stopping.signal.aborted) return;
      this.#state = 'waiting';
      await outbox.waitBeyond(cursor, this.#untilLook());
    }
  }

  /** Ends a wait at a stop, and when the cursor is to be looked at again: somebody may have removed it. */
  #untilLook(): AbortSignal {
    const { idleLookMs = IDLE_LOOK_MS } = this.#options;
    return AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(idleLookMs)]);
  }

  /** @returns the committed cursor */
  async #relayBatch(): Promise<number> {
    const { outbox, pool, jobs, cursor, pairId, batchItemsMax } = this.#options;
    const bounds = { timeoutMs: BATCH_TIMEOUT_MS, signal: this.#cutOff.signal };
    const startedMs = performance.now();
    let items: readonly Item[] = [];
    const reached = await inTransaction(pool, bounds, async (client) => {
      const from = await cursor.lock(client, pairId);
      checkCursor(from, outbox.head());
      const entries = await outbox.read(from, batchItemsMax ?? BATCH_ITEMS_MAX);
      const last = entries.at(-1);
      if (last === undefined) return from;
      items = entries.map(({ item }) => item);
      await jobs.insert(client, items);
      await cursor.advance(client, pairId, last.seq, outbox.position());
      return last.seq;
    });
    this.#cursor = reached;
    this.#relayedFew = items.length > 0 && items.length < (batchItemsMax ?? BATCH_ITEMS_MAX);
    outbox.relayed(reached);
    const { observer = noObserver } = this.#options;
    if (items.length > 0) observer.relayed({ startedMs, endedMs: performance.now(), items });
    return reached;
  }

  #wentDown(error: unknown): void {
    const sentence = sentenceOf(error);
    if (this.#down === undefined) {
      const since = new Date().toISOString();
      this.#down = { since, error: sentence };
      const { pending } = this.status();
      this.#options.log.warn(
        { since, pending, error: sentence },
        `Relay: PostgreSQL can't take changes since ${since}, ${waiting(pending)} in the journal: ${sentence}`,
      );
    } else if (sentence !== this.#down.error) {
      this.#down = { ...this.#down, error: sentence };
      this.#options.log.debug({ error: sentence }, `Relay: still not possible: ${sentence}`);
    }
    this.#state = 'down';
  }

  #cameBack(): void {
    if (this.#down === undefined) return;
    const { since } = this.#down;
    this.#down = undefined;
    const { pending } = this.status();
    this.#options.log.info(
      { since, pending },
      `Relay: PostgreSQL takes changes again (it could not since ${since}), ${waiting(pending)}`,
    );
  }
}
