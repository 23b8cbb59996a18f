//            follow(postgres-primary)           lock held by another
//   off ───────────────────────────> standing by <──────────┐
//    ^                                   │ lock taken        │
//    │ phase moved away, stop()          v                   │ handed over
//    └────────── closing <─────────── preparing ──> working ─┘
//                (checkpoint)         agree on the phase, catch up by difference
import { setTimeout as sleep } from 'node:timers/promises';
import type { Collection } from '@tandem/storage/collections';
import type { CatchUpWatch, VerifySchedule } from '@tandem/storage/consistency';
import { isTandemError, sentenceOf } from '@tandem/storage/errors';
import { type JsonStore, openJsonStore } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import type { Observer } from '@tandem/storage/observer';
import {
  failpoint,
  type Gate,
  type LiveContext,
  type Phase,
  type PostgresPhaseState,
  type Processes,
} from '@tandem/storage/phase';
import { keepJsonDisagreements, type PostgresStore } from '@tandem/storage/postgres';
import type { DirectionStatus, QueueClient } from '@tandem/storage/replication';
import { HeldJson } from './held-json.ts';
import { Outage } from './outage.ts';
import { OwedFiles } from './owed-files.ts';
import { pause } from './pause.ts';

/** How often a lock that another process holds is tried again. */
const LOCK_INTERVAL_MS = 500;
/** How often opening is tried again after anything else went wrong: it may cost a whole recovery. */
const FAILURE_INTERVAL_MS = 5_000;
const STOP_POLL_MS = 20;

export interface JsonFollowerOptions {
  readonly directory: string;
  readonly adoptExternalEdits: boolean;
  readonly verifySchedule: VerifySchedule;
  readonly collections: readonly Collection[];
  readonly postgres: PostgresStore;
  readonly queues: QueueClient;
  /** Who else runs, and what they believe. */
  readonly processes: Processes;
  /** The phase that rows of the flags' table ask for. */
  readonly desiredBy: LiveContext['desiredBy'];
  readonly watch: CatchUpWatch;
  readonly log: Log;
  readonly observer: Observer;
}

export type JsonFollowerState = 'off' | 'standing by' | 'preparing' | 'working' | 'closing';

export interface JsonFollowerStatus {
  readonly state: JsonFollowerState;
  /** Another process holds the JSON store: it follows, or serves. */
  readonly isHeldElsewhere?: boolean;
  /** Why it can't go on, if it can't. */
  readonly because?: string;
  readonly direction?: DirectionStatus;
}

/** Follows a PostgreSQL primary with the JSON store, for as long as this process holds its lock. */
export class JsonFollower {
  readonly #options: JsonFollowerOptions;
  readonly #outage: Outage;
  #state: JsonFollowerState = 'off';
  #held: HeldJson | undefined;
  /** Ends the present session. */
  #leave: AbortController | undefined;
  #session: Promise<void> = Promise.resolve();
  #drainTimeoutMs = 0;
  #stopped = false;
  #desired: Phase | undefined;
  #isHeldElsewhere = false;
  /** Why the files lacked something when this process let go of the store last. */
  #filesBehind: unknown;
  readonly #owed: OwedFiles;
  /** Ends the wait between two attempts to take the lock. */
  readonly #hurry = new AbortController();

  constructor(options: JsonFollowerOptions) {
    this.#options = options;
    this.#owed = new OwedFiles(options.directory);
    this.#outage = new Outage(options.log, 'The JSON store');
  }

  /** The store while it is held. */
  get store(): JsonStore | undefined {
    return this.#held?.store;
  }

  /** Why the phase is not the desired one, if this process drives and knows. */
  get waitingFor(): string | null {
    return this.#held?.waitingFor ?? null;
  }

  /** The gates of the next switch, while this process would drive it. */
  async gates(): Promise<readonly Gate[] | undefined> {
    return this.#held?.gates();
  }

  status(): JsonFollowerStatus {
    const because = this.#outage.current?.because;
    const direction = this.#held?.direction;
    return {
      state: this.#state,
      isHeldElsewhere: this.#isHeldElsewhere,
      ...(because === undefined ? {} : { because }),
      ...(direction === undefined ? {} : { direction }),
    };
  }

  wake(): void {
    this.#held?.wake();
  }

  /** Told the phase whenever it was read: begins, goes on or leaves by it. */
  follow(row: PostgresPhaseState, desired: Phase): void {
    this.#desired = desired;
    const isInStep = this.#held?.saw(row) ?? true;
    const wanted = isFollowed(row.phase, desired) && !this.#stopped;
    if (!wanted) this.#leave?.abort();
    else if (this.#leave === undefined) this.#begin();
    // Another epoch of the same phase: leave, and come back through the preparation.
    else if (!isInStep) this.#leave.abort();
  }

  /**
   * Drains within the deadline, writes the checkpoint and lets go of the lock. A follower that is
   * wanted but has not begun yet begins first: a stop soon after a start owes the same files (I7).
   * The lock may have become free since it was last tried, so it is tried once more. So is that of a
   * store that was given away and perhaps not taken yet. Idempotent.
   * @throws {TandemError} when the last checkpoint failed: the journal has what the files lack
   */
  async stop({ drainTimeoutMs }: { readonly drainTimeoutMs: number }): Promise<void> {
    this.#stopped = true;
    this.#isHeldElsewhere = false;
    this.#hurry.abort();
    const deadlineMs = performance.now() + drainTimeoutMs;
    while (this.#mayYetWork() && performance.now() < deadlineMs) await sleep(STOP_POLL_MS);
    this.#drainTimeoutMs = Math.max(0, deadlineMs - performance.now());
    this.#leave?.abort();
    await this.#session;
    const owed = await this.#owed.reopen(() => this.#open());
    if (owed !== undefined) await this.#close(owed);
    if (this.#filesBehind !== undefined) throw this.#filesBehind;
  }

  #mayYetWork(): boolean {
    if (this.#leave === undefined || this.#leave.signal.aborted) return false;
    if (this.#state === 'preparing') return true;
    return this.#state === 'standing by' && !this.#isHeldElsewhere && !this.#outage.current;
  }

  #begin(): void {
    const leave = new AbortController();
    this.#leave = leave;
    this.#state = 'standing by';
    this.#session = this.#run(leave.signal).finally(() => {
      this.#state = 'off';
      this.#leave = undefined;
    });
  }

  async #run(leave: AbortSignal): Promise<void> {
    while (!leave.aborted) {
      // Also after a hand-over, so that whoever asked for the lock gets it first.
      let waitMs = LOCK_INTERVAL_MS;
      try {
        await this.#holdOnce(leave);
      } catch (error) {
        // Holding it elsewhere is the normal state of a second worker, and no outage.
        this.#isHeldElsewhere = isTandemError(error, 'lock-held');
        if (!this.#isHeldElsewhere) {
          this.#outage.began(error);
          waitMs = FAILURE_INTERVAL_MS;
        }
      }
      this.#state = 'standing by';
      await pause(waitMs, AbortSignal.any([leave, this.#hurry.signal]));
    }
  }

  #open(): Promise<JsonStore> {
    const { directory, collections, adoptExternalEdits, log, observer } = this.#options;
    return openJsonStore({
      ...{ directory, collections, adoptExternalEdits, log, observer },
      ...{ otherPrimary: this.#options.postgres, processName: 'worker' },
      keepDisagreements: keepJsonDisagreements(this.#options.queues.pool),
    });
  }

  async #holdOnce(leave: AbortSignal): Promise<void> {
    // Whoever let go of the lock may have moved the phase before: then an api process waits for it. That is
    // all this look is for: the phase may move between it and the lock. What is done with the store is
    // decided by a look at both stores under the lock (`held-json.ts`), without which nobody moves the phase
    // between them; and what would come late all the same is a no-op by its epoch (I4).
    const { phase } = await this.#options.postgres.phase.read();
    if (!isFollowed(phase, this.#desired)) {
      this.#leave?.abort();
      return;
    }
    const store = await this.#open();
    this.#owed.forget();
    const handover = new AbortController();
    const end = AbortSignal.any([leave, handover.signal]);
    try {
      store.onHandoverRequested(() => handover.abort());
      this.#held = new HeldJson({
        ...{ ...this.#options, store, end, desired: () => this.#desired },
        asked: handover.signal,
        onWorking: () => {
          this.#outage.ended();
          this.#state = 'working';
        },
        drainTimeoutMs: () => (handover.signal.aborted ? 0 : this.#drainTimeoutMs),
      });
      this.#isHeldElsewhere = false;
      this.#state = 'preparing';
      // An api process waits for the lock, and requests for it: the files can wait.
      if (await this.#held.work()) {
        // Also when the row could not be told, so that nobody tells this process to leave.
        this.#leave?.abort();
        await failpoint('demote.before-letting-go');
        this.#owed.owe(store);
        await store.close({ checkpoint: false });
      }
    } catch (error) {
      // Asked to hand over, or to leave: what was under way ends, and nothing is down.
      if (!end.aborted) throw error;
      const fields = { error: sentenceOf(error) };
      this.#options.log.debug(fields, 'What was under way with JSON was ended.');
    } finally {
      this.#state = 'closing';
      this.#held = undefined;
      await this.#close(store);
    }
  }

  async #close(store: JsonStore): Promise<void> {
    try {
      await store.close();
      this.#filesBehind = undefined;
    } catch (error) {
      this.#filesBehind = error;
      throw error;
    }
  }
}

/** Whether JSON follows PostgreSQL in a phase, or is to follow it again from there. */
const isFollowed = (phase: Phase, desired: Phase | undefined): boolean =>
  phase === 'postgres-primary' || (phase === 'postgres-only' && desired !== phase);
