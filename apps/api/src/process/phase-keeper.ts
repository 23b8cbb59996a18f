//                         desired ≠ effective: step
//                               ┌───────┐
//                               ▼       │
//   without JSON ──lock taken──▶ with JSON
//   serve PostgreSQL, or        serve JSON, relay
//   wait for the lock ◀──────── PostgreSQL became primary: let go
//
// The driver of a switch is whoever holds the JSON lock. Without it this process follows the phase
// row; with it, the manifest.
import { setTimeout as sleep } from 'node:timers/promises';
import { isTandemError, sentenceOf } from '@tandem/storage/errors';
import type { JsonStore, WarmFollower } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import {
  type JsonPhaseState,
  mendAlone,
  nextPhase,
  type Phase,
  type PostgresPhaseState,
  primaryOf,
  type RoutedStore,
  within,
} from '@tandem/storage/phase';
import type { PostgresStore } from '@tandem/storage/postgres';
import type { JsonSession } from './json-session.ts';
import {
  API,
  ASK_TIMEOUT_MS,
  agreeAfterTakeOver,
  holderOf,
  sayTakenOver,
} from './json-take-over.ts';
import { JsonWarmth } from './json-warmth.ts';
import { ProblemTeller } from './problem-teller.ts';
import { awaitsAnswer, UnansweredCommit } from './unanswered-commit.ts';
import { WaitingFor } from './waiting-for.ts';

const LOOK_INTERVAL_MS = 250;
/** While requests wait for the end of a switch. */
const HURRY_INTERVAL_MS = 20;
/** After a step was refused or failed; what it measured rarely changes sooner. */
const RETRY_INTERVAL_MS = 5_000;
const ELSEWHERE =
  'The JSON store of this installation is not in this JSON_DIR; this process serves in the PostgreSQL phases.';
/** Requests wait this long for a JSON lock that somebody else holds, then are told so. */
const LOCK_PATIENCE_MS = 5_000;

export interface PhaseKeeperOptions {
  readonly postgres: PostgresStore;
  readonly requests: RoutedStore;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly desired: () => Phase;
  /** Opens the JSON store if nobody holds it. @throws {TandemError} `lock-held` */
  readonly openJson: (follower: WarmFollower | undefined) => Promise<JsonStore>;
  /** @param from a store that this process has just closed */
  readonly newFollower: (from?: JsonStore) => WarmFollower;
  /** What the manifest says, without the lock. */
  readonly inspectJson: () => Promise<JsonPhaseState | undefined>;
  readonly newSession: (json: JsonStore) => JsonSession;
  /** Whether other api processes serve. */
  readonly othersServe: () => Promise<boolean>;
  /** What this process says of itself has changed. */
  readonly onStanding: () => void;
}

/** Keeps this process where the system stands, and moves the system where this process drives. */
export class PhaseKeeper {
  readonly #options: PhaseKeeperOptions;
  readonly warmth: JsonWarmth;
  #session: JsonSession | undefined;
  #effective: { phase: Phase; epoch: number } | undefined;
  readonly waitingFor: WaitingFor;
  #catchUpSince: string | null | undefined;
  #retryAtMs = 0;
  #lockHeldSinceMs: number | undefined;
  #standsBy: string | undefined;
  readonly #unanswered = new UnansweredCommit();
  #nudge = new AbortController();
  readonly #problems: ProblemTeller;

  constructor(options: PhaseKeeperOptions) {
    this.#options = options;
    this.warmth = new JsonWarmth(options.newFollower);
    this.#problems = new ProblemTeller(options.log);
    this.waitingFor = new WaitingFor(options.log, options.onStanding);
  }

  get session(): JsonSession | undefined {
    return this.#session;
  }

  get effective(): { readonly phase: Phase; readonly epoch: number } | undefined {
    return this.#effective;
  }

  /** That another api has the JSON store, as a sentence. Readiness says it at once; requests are told
   *  only when they have waited, and a balancer sends none any more. */
  get standsBy(): string | undefined {
    return this.#standsBy;
  }

  /** While PostgreSQL is primary: since when JSON must be brought up by difference, or `null`;
   *  `undefined` before the row was read. */
  get catchUpSince(): string | null | undefined {
    return this.#catchUpSince;
  }

  /** Look now: the flags changed, or a store refused a write. */
  wake(): void {
    this.#nudge.abort();
  }

  /** The emergency brake is over: it is not waited for any more, and what it held up is tried now. */
  reunited(): void {
    this.waitingFor.sentence = null;
    this.#retryAtMs = 0;
    this.wake();
  }

  serveJson(session: JsonSession): void {
    this.#session = session;
    const { phase } = this.#stands(session.json.phase.read());
    this.#options.requests.serve(session.json);
    if (phase === 'json-primary') session.follow();
  }

  /**
   * Serves what can be while a commit towards PostgreSQL has no answer: JSON was sealed with all that had
   * been acknowledged, so it is read; nobody writes until PostgreSQL says which of them is the primary.
   * Where another api serves, it may have been told, and written: then nothing can be served here.
   */
  async serveReads(session: JsonSession, sentence: string): Promise<void> {
    const { requests, othersServe } = this.#options;
    this.#session = session;
    this.#stands(session.json.phase.read());
    this.waitingFor.sentence = sentence;
    if (await othersServe()) requests.refuse(sentence);
    else requests.serveReads(session.json, sentence);
  }

  servePostgres(state: { phase: Phase; epoch: number }): void {
    this.#stands(state);
    this.#options.requests.serve(this.#options.postgres);
  }

  async run(): Promise<void> {
    try {
      await this.#keep();
    } finally {
      await this.warmth.end();
    }
  }

  async #keep(): Promise<void> {
    const { signal, requests } = this.#options;
    while (!signal.aborted) {
      try {
        await (this.#session === undefined ? this.#lookWithout() : this.#lookWith(this.#session));
        this.#problems.clear();
      } catch (error) {
        this.#say(sentenceOf(error));
      }
      await this.#pause(requests.waiting > 0 ? HURRY_INTERVAL_MS : LOOK_INTERVAL_MS);
    }
  }

  async #lookWith(session: JsonSession): Promise<void> {
    const { requests, desired, log } = this.#options;
    // The relay, which has reached PostgreSQL again, is looking at both stores.
    if (session.machine.isRunning) return;
    const { committing } = session.json.phase.read();
    if (committing !== null) {
      await this.#unanswered.ask(session, (sentence) => this.serveReads(session, sentence));
    } else if (session.machine.state === 'stopped') {
      await mendAlone(session.context('a step that failed halfway'), false);
    }
    const state = session.json.phase.read();
    if (primaryOf(state.phase) === 'postgres') return this.#letGo(session);
    this.#stands(state);
    const isServed = requests.standing.store === session.json && requests.takesWrites;
    if (!isServed || requests.waiting > 0) this.serveJson(session);
    const wanted = desired();
    const next = nextPhase(state.phase, wanted);
    if (next === undefined) {
      this.waitingFor.sentence = null;
      return;
    }
    if (performance.now() < this.#retryAtMs) return;
    this.#retryAtMs = performance.now() + RETRY_INTERVAL_MS;
    const refusal = await session.step(next, `the flags ask for ${wanted}`);
    if (refusal !== undefined) {
      this.waitingFor.refused(state.phase, next, refusal.waitingFor);
      return;
    }
    this.#retryAtMs = 0;
    this.waitingFor.sentence = null;
    log.info({ from: state.phase, to: next }, `Phase: moved from ${state.phase} to ${next}.`);
    await this.#lookWith(session);
  }

  async #lookWithout(): Promise<void> {
    const { postgres, requests, desired } = this.#options;
    const row = await this.#row();
    if (row === undefined) return this.#takeOver();
    this.#catchUpSince = row.catchUpSince;
    this.warmth.look(row.phase);
    // A manifest that can't be read is told by whoever opens the store; PostgreSQL is served without it.
    const manifest = await this.#options.inspectJson().catch(() => 'unreadable' as const);
    const isServable = primaryOf(row.phase) === 'postgres' && !row.sealed;
    if (isServable && !isOvertaken(row, manifest)) {
      this.#lockHeldSinceMs = undefined;
      this.#standsBy = undefined;
      if (requests.standing.store !== postgres || requests.waiting > 0) this.servePostgres(row);
      this.#stands(row);
      this.waitingFor.sentence =
        desired() === row.phase
          ? null
          : 'the worker, which holds the JSON store, to move the phase.';
      return;
    }
    // JSON is primary, or about to be: what PostgreSQL holds may be behind in a moment.
    if (primaryOf(row.phase) === 'json') {
      requests.hold('all');
      this.#stands(row);
    } else {
      // The answer to the telling may have been lost, or the teller have died.
      await this.#holdIfJsonCommitted(row.epoch + 1);
    }
    if (manifest === undefined && row.pairId !== null) return this.#waitElsewhere(row);
    await this.#takeOver();
  }

  /** The pair's JSON store is lost, or on another machine: an empty one taken for it would be no pair's, and lift
   *  the seal of whoever moves the real one. */
  #waitElsewhere({ phase }: PostgresPhaseState): void {
    this.#standsBy = ELSEWHERE;
    this.waitingFor.sentence = ELSEWHERE;
    // Under the seal requests wait for its end; those of a JSON phase are another process's.
    if (primaryOf(phase) === 'json') this.#options.requests.refuse(ELSEWHERE);
  }

  /** The phase row; `undefined` when it can't be read, but JSON says that it is the primary. */
  async #row(): Promise<PostgresPhaseState | undefined> {
    const { postgres } = this.#options;
    try {
      return await within(ASK_TIMEOUT_MS, 'PostgreSQL', postgres.phase.read());
    } catch (error) {
      const { phase, epoch } = this.#effective ?? { phase: 'json-only', epoch: 0 };
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

  /** Takes the JSON store when its last holder has let go of it, and serves what is true then. */
  async #takeOver(): Promise<void> {
    const { openJson, newSession, requests, postgres, log } = this.#options;
    let json: JsonStore;
    const askedMs = performance.now();
    try {
      json = await openJson(this.warmth.follower);
    } catch (error) {
      if (!isTandemError(error, 'lock-held')) {
        this.#standsBy = undefined;
        // Nobody can say when it will be mended: requests that wait for it are told what is wrong.
        const { standing } = requests;
        const isHeld = standing.store !== undefined && standing.holding === 'all';
        if (isHeld) requests.refuse(sentenceOf(error));
        throw error;
      }
      this.#lockHeldSinceMs ??= performance.now();
      this.waitingFor.sentence = error.message;
      this.#standsBy = holderOf(error) === API ? error.message : undefined;
      const heldMs = performance.now() - this.#lockHeldSinceMs;
      if (heldMs > LOCK_PATIENCE_MS) requests.refuse(error.message);
      return;
    }
    this.#lockHeldSinceMs = undefined;
    this.#standsBy = undefined;
    sayTakenOver(log, json, askedMs);
    await this.warmth.end();
    const session = newSession(json);
    try {
      await agreeAfterTakeOver(session, postgres);
    } catch (error) {
      if (awaitsAnswer(json)) return this.serveReads(session, sentenceOf(error));
      await session.letGo();
      throw error;
    }
    if (primaryOf(json.phase.read().phase) === 'postgres') return this.#letGo(session);
    this.serveJson(session);
  }

  /** PostgreSQL is the primary: the JSON store goes to the worker. */
  async #letGo(session: JsonSession): Promise<void> {
    this.#session = undefined;
    const state = session.json.phase.read();
    this.servePostgres(state);
    await session.letGo();
    this.warmth.keepFrom(session.json, state.phase);
  }

  #stands({ phase, epoch }: { phase: Phase; epoch: number }): { phase: Phase } {
    const before = this.#effective;
    this.#effective = { phase, epoch };
    if (before?.phase !== phase || before.epoch !== epoch) this.#options.onStanding();
    return { phase };
  }

  #say(problem: string): void {
    this.#problems.say(problem);
    const { desired } = this.#options;
    if (this.#effective?.phase !== desired()) this.waitingFor.sentence = problem;
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#options;
    const nudged = AbortSignal.any([signal, this.#nudge.signal]);
    await sleep(ms, undefined, { signal: nudged }).catch(() => undefined);
    this.#nudge = new AbortController();
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
