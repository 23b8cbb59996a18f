//   row: PostgreSQL is primary ──▶ serve it
//   row or manifest: JSON is, or is about to be ──▶ hold ──lock is free──▶ the store
//                                                     └──held for long──▶ say so
import { isTandemError, sentenceOf } from '@tandem/storage/errors';
import type { JsonStore, WarmFollower } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import {
  type JsonPhaseState,
  type Phase,
  type PostgresPhaseState,
  primaryOf,
  type RoutedStore,
  within,
} from '@tandem/storage/phase';
import type { PostgresStore } from '@tandem/storage/postgres';
import { API, ASK_TIMEOUT_MS, holderOf, sayTakenOver } from './json-take-over.ts';
import type { JsonWarmth } from './json-warmth.ts';
import type { WaitingFor } from './waiting-for.ts';

const ELSEWHERE =
  'The JSON store of this installation is not in this JSON_DIR; this process serves in the PostgreSQL phases.';
/** Requests wait this long for a JSON lock that somebody else holds, then are told so. */
const LOCK_PATIENCE_MS = 5_000;

/** Where a process says the system stands. */
export interface Standing {
  readonly phase: Phase;
  readonly epoch: number;
}

export interface StandByOptions {
  readonly postgres: PostgresStore;
  readonly requests: RoutedStore;
  readonly log: Log;
  readonly desired: () => Phase;
  /** Opens the JSON store if nobody holds it. @throws {TandemError} `lock-held` */
  readonly openJson: (follower: WarmFollower | undefined) => Promise<JsonStore>;
  /** What the manifest says, without the lock. */
  readonly inspectJson: () => Promise<JsonPhaseState | undefined>;
}

/** What it shares with whoever holds the store in this process. */
interface Shared {
  readonly warmth: JsonWarmth;
  readonly waitingFor: WaitingFor;
  readonly effective: () => Standing | undefined;
  readonly stands: (standing: Standing) => void;
}

/** A process without the JSON store: follows the phase row, and takes the store where it must. */
export class StandBy {
  readonly #options: StandByOptions;
  readonly #shared: Shared;
  #lockHeldSinceMs: number | undefined;
  #holder: string | undefined;
  #catchUpSince: string | null | undefined;

  constructor(options: StandByOptions, shared: Shared) {
    this.#options = options;
    this.#shared = shared;
  }

  /** That another api has the JSON store, or that it is not here, as a sentence. */
  get holder(): string | undefined {
    return this.#holder;
  }

  /** While PostgreSQL is primary: since when JSON must be brought up by difference, or `null`;
   *  `undefined` before the row was read. */
  get catchUpSince(): string | null | undefined {
    return this.#catchUpSince;
  }

  /**
   * Looks where the system stands, and serves accordingly.
   * @returns the JSON store, when it was taken: JSON is the primary, or what it is must be found out
   */
  async look(): Promise<JsonStore | undefined> {
    const { postgres, requests, desired, inspectJson } = this.#options;
    const { warmth, waitingFor, stands } = this.#shared;
    const row = await this.#row();
    if (row === undefined) return this.#take();
    this.#catchUpSince = row.catchUpSince;
    warmth.look(row.phase);
    // A manifest that can't be read is told by whoever opens the store; PostgreSQL is served without it.
    const manifest = await inspectJson().catch(() => 'unreadable' as const);
    const isServable = primaryOf(row.phase) === 'postgres' && !row.sealed;
    if (isServable && !isOvertaken(row, manifest)) {
      this.#lockHeldSinceMs = undefined;
      this.#holder = undefined;
      stands(row);
      const { standing } = requests;
      const isOpen = standing.store === postgres && standing.holding === 'nothing';
      const isServed = isOpen && requests.takesWrites;
      if (!isServed || requests.waiting > 0) requests.serve(postgres);
      waitingFor.sentence =
        desired() === row.phase
          ? null
          : 'the worker, which holds the JSON store, to move the phase.';
      return undefined;
    }
    // JSON is primary, or about to be: what PostgreSQL holds may be behind in a moment.
    if (primaryOf(row.phase) === 'json') {
      requests.hold('all');
      stands(row);
    } else {
      // The answer to the telling may have been lost, or the teller have died.
      await this.#holdIfJsonCommitted(row.epoch + 1);
    }
    if (manifest === undefined && row.pairId !== null) {
      this.#waitElsewhere(row);
      return undefined;
    }
    return this.#take(row);
  }

  /** The pair's JSON store is lost, or on another machine: an empty one taken for it would be no pair's, and lift
   *  the seal of whoever moves the real one. */
  #waitElsewhere({ phase }: PostgresPhaseState): void {
    this.#holder = ELSEWHERE;
    this.#shared.waitingFor.sentence = ELSEWHERE;
    // Under the seal requests wait for its end; those of a JSON phase are another process's.
    if (primaryOf(phase) === 'json') this.#options.requests.refuse(ELSEWHERE);
  }

  /** The phase row; `undefined` when it can't be read, but JSON says that it is the primary. */
  async #row(): Promise<PostgresPhaseState | undefined> {
    const { postgres } = this.#options;
    try {
      return await within(ASK_TIMEOUT_MS, 'PostgreSQL', postgres.phase.read());
    } catch (error) {
      const { phase, epoch } = this.#shared.effective() ?? { phase: 'json-only', epoch: 0 };
      const since = primaryOf(phase) === 'json' ? epoch : epoch + 1;
      if (!(await this.#holdIfJsonCommitted(since))) throw error;
      return undefined;
    }
  }

  /** Whether the manifest alone says that JSON is the primary, at this epoch or a later one. Then nothing
   *  more is read from PostgreSQL. */
  async #holdIfJsonCommitted(epoch: number): Promise<boolean> {
    const { inspectJson, requests } = this.#options;
    const manifest = await inspectJson();
    if (manifest === undefined || primaryOf(manifest.phase) !== 'json') return false;
    if (manifest.epoch < epoch || manifest.committing !== null) return false;
    requests.hold('all');
    return true;
  }

  /** The JSON store, if its last holder has let go of it. */
  async #take(row?: PostgresPhaseState): Promise<JsonStore | undefined> {
    const { openJson, requests, log } = this.#options;
    const { warmth, waitingFor } = this.#shared;
    const askedMs = performance.now();
    try {
      const json = await openJson(warmth.follower);
      this.#lockHeldSinceMs = undefined;
      this.#holder = undefined;
      sayTakenOver(log, json, askedMs);
      return json;
    } catch (error) {
      if (!isTandemError(error, 'lock-held')) {
        this.#holder = undefined;
        // Nobody can say when it will be mended: requests that wait for it are told what is wrong.
        if (this.#isHeld) requests.refuse(sentenceOf(error));
        throw error;
      }
      this.#lockHeldSinceMs ??= performance.now();
      waitingFor.sentence = error.message;
      this.#holder = holderOf(error) === API ? error.message : undefined;
      const heldMs = performance.now() - this.#lockHeldSinceMs;
      if (heldMs > LOCK_PATIENCE_MS) this.#sayHeld(error.message, row);
      return undefined;
    }
  }

  /** Whether no request is answered before somebody has the JSON store. */
  get #isHeld(): boolean {
    const { standing } = this.#options.requests;
    return standing.store !== undefined && standing.holding === 'all';
  }

  /** Under a seal alone PostgreSQL has all that was acknowledged, and its fence looks whether it still does. */
  #sayHeld(sentence: string, row: PostgresPhaseState | undefined): void {
    const { requests, postgres } = this.#options;
    const isSealed = row?.sealed === true && primaryOf(row.phase) === 'postgres';
    if (isSealed && requests.standing.store === postgres && !this.#isHeld) {
      requests.serveReads(postgres, sentence);
    } else requests.refuse(sentence);
  }
}

/** Whether JSON became the primary after what the row says: PostgreSQL is one that does not have the telling. */
const isOvertaken = (
  row: PostgresPhaseState,
  manifest: JsonPhaseState | 'unreadable' | undefined,
): boolean =>
  manifest !== undefined &&
  manifest !== 'unreadable' &&
  manifest.pairId === row.pairId &&
  manifest.epoch > row.epoch &&
  primaryOf(manifest.phase) === 'json';
