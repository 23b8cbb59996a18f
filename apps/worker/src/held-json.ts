//   preparing ── both stores agree on the phase, JSON is brought up by difference ──▶ working ──▶ moved
//       └── JSON is not to follow, on a closer look                                     └── asked to end
import type { ConsistencyKeeper } from '@tandem/storage/consistency';
import type { JsonStore } from '@tandem/storage/json';
import {
  bringUpLive,
  type Gate,
  mend,
  type Phase,
  type PostgresPhaseState,
} from '@tandem/storage/phase';
import {
  type DirectionStatus,
  type DirectionWorker,
  startDirection,
} from '@tandem/storage/replication';
import { catchUpJson } from './json-catch-up.ts';
import type { JsonFollowerOptions } from './json-follower.ts';
import { pause } from './pause.ts';
import { PhaseDriver } from './phase-driver.ts';
import { keepPostgresConsistent } from './postgres-consistency.ts';

/** How often the flags are compared with the phase. */
const DRIVE_INTERVAL_MS = 250;
/** How often a move that was refused is tried again: it may cost a whole recovery. */
const REFUSED_INTERVAL_MS = 5_000;
/** Whoever asked for the store waits, maybe because PostgreSQL hangs: that is waited for no longer. */
const GOODBYE_MAX_MS = 1_000;

export interface HeldJsonOptions extends JsonFollowerOptions {
  readonly store: JsonStore;
  /** Ends what is under way. */
  readonly end: AbortSignal;
  /** Another process asks for the store. */
  readonly asked: AbortSignal;
  readonly desired: () => Phase | undefined;
  /** The preparation is over: from here on JSON follows. */
  readonly onWorking: () => void;
  /** What a stop leaves of its deadline for the queue. */
  readonly drainTimeoutMs: () => number;
}

/** What a worker does with the JSON store while it holds it: brings it up, follows, and moves the phase. */
export class HeldJson {
  readonly store: JsonStore;
  readonly #options: HeldJsonOptions;
  readonly #driver: PhaseDriver;
  #direction: DirectionWorker | undefined;

  constructor(options: HeldJsonOptions) {
    const { store, postgres, collections, queues, processes, watch, log, end } = options;
    const { observer, desiredBy } = options;
    this.store = store;
    this.#options = options;
    this.#driver = new PhaseDriver({
      ...{ json: store, postgres, queues, collections, processes, watch, log, signal: end },
      ...{ desiredBy, observer },
    });
  }

  /** Why the phase is not the desired one, if it is known. */
  get waitingFor(): string | null {
    return this.#driver.waitingFor;
  }

  /** The gates of the next switch; `undefined` while JSON does not follow yet. */
  async gates(): Promise<readonly Gate[] | undefined> {
    return this.#direction === undefined ? undefined : this.#driver.gates();
  }

  get direction(): DirectionStatus | undefined {
    return this.#direction?.status();
  }

  wake(): void {
    this.#direction?.wake();
  }

  /** Told the phase row whenever it was read. @returns false when JSON must be prepared anew for it */
  saw({ epoch, sealed }: PostgresPhaseState): boolean {
    if (sealed) this.#driver.sawSeal();
    return this.#direction === undefined || this.store.phase.read().epoch === epoch;
  }

  /** @returns true when this process has moved the phase, so that JSON does not follow any more */
  async work(): Promise<boolean> {
    const { store } = this;
    const { postgres, collections, queues, log, observer, end, onWorking } = this.#options;
    const driver = this.#driver;
    if (!(await this.#prepare())) return false;
    this.#direction = startDirection({
      direction: 'json',
      exclusive: true,
      ...{ store, queues, collections, log, observer },
    });
    onWorking();
    const consistency = keepPostgresConsistent({
      ...{ ...this.#options, json: store },
      backfill: ({ signal, onProgress }) => {
        const ordered = { ...driver.context('a backfill was asked for'), signal };
        return bringUpLive(ordered, postgres, store, onProgress);
      },
    });
    let moved = false;
    try {
      while (!moved && !end.aborted) {
        await this.#unlessOverdue(driver.noteFollowed('due'));
        // What is to be brought up by difference comes back through the preparation.
        if (await this.#unlessOverdue(driver.meetAgain('due'))) break;
        const desired = end.aborted ? undefined : this.#options.desired();
        moved = desired !== undefined && (await driver.drive(desired));
        if (!moved) await pause(DRIVE_INTERVAL_MS, end);
      }
    } finally {
      await this.#putDown(this.#direction, consistency, moved);
      this.#direction = undefined;
    }
    return moved;
  }

  /** What is still waiting for a server that hangs then ends behind the closed store, which takes nothing more. */
  async #putDown(
    direction: DirectionWorker,
    consistency: ConsistencyKeeper,
    moved: boolean,
  ): Promise<void> {
    const drainTimeoutMs = moved ? 0 : this.#options.drainTimeoutMs();
    // What repairs write is drained, too, where anything is.
    if (drainTimeoutMs > 0) await this.#unlessOverdue(consistency.stop());
    const stopped = Promise.all([consistency.stop(), direction.stop({ drainTimeoutMs })]);
    const isStopped = await this.#unlessOverdue(stopped.then(() => true));
    if (moved || isStopped !== true) return;
    await this.#unlessOverdue(this.#driver.noteFollowed('now'));
    await this.#unlessOverdue(this.#driver.meetAgain('now'));
  }

  /** @returns `undefined` when it took too long for whoever asks for the store */
  async #unlessOverdue<T>(work: Promise<T>): Promise<T | undefined> {
    const { asked } = this.#options;
    const late = Promise.withResolvers<undefined>();
    let timer: NodeJS.Timeout | undefined;
    const begin = (): void => {
      timer = setTimeout(() => late.resolve(undefined), GOODBYE_MAX_MS);
    };
    if (asked.aborted) begin();
    else asked.addEventListener('abort', begin, { once: true });
    try {
      return await Promise.race([work, late.promise]);
    } finally {
      asked.removeEventListener('abort', begin);
      clearTimeout(timer);
      // Left behind, it fails for nobody.
      work.catch(() => undefined);
    }
  }

  /** @returns false when, on a closer look, JSON is not to follow, or no longer */
  async #prepare(): Promise<boolean> {
    const { postgres, watch, end, desired: desiredNow } = this.#options;
    const context = this.#driver.context('the worker follows PostgreSQL with JSON');
    await mend(context, this.store.isBlank);
    const desired = desiredNow();
    const { phase: before } = await postgres.phase.read();
    if (before === 'postgres-only' && desired !== undefined && desired !== before) {
      if ((await this.#driver.leavePostgresOnly(desired)) !== undefined) {
        await pause(REFUSED_INTERVAL_MS, end);
        return false;
      }
    }
    const { phase, epoch, catchUpSince } = await postgres.phase.read();
    if (phase !== 'postgres-primary' || end.aborted) return false;
    if (catchUpSince !== null) {
      await catchUpJson(context, { epoch, catchUpSince }, { watch, signal: end });
    }
    return !end.aborted;
  }
}
