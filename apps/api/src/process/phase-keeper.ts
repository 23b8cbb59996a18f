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
import { sentenceOf } from '@tandem/storage/errors';
import type { JsonStore, WarmFollower } from '@tandem/storage/json';
import { mendAlone, nextPhase, type PhaseFlags, primaryOf } from '@tandem/storage/phase';
import type { JsonSession } from './json-session.ts';
import { agreeAfterTakeOver } from './json-take-over.ts';
import { JsonWarmth } from './json-warmth.ts';
import { LastKnownFlags } from './last-known-flags.ts';
import { ProblemTeller } from './problem-teller.ts';
import { StandBy, type StandByOptions, type Standing } from './stand-by.ts';
import { awaitsAnswer, UnansweredCommit } from './unanswered-commit.ts';
import { WaitingFor } from './waiting-for.ts';

const LOOK_INTERVAL_MS = 250;
/** While requests wait for the end of a switch. */
const HURRY_INTERVAL_MS = 20;
/** After a step was refused or failed; what it measured rarely changes sooner. */
const RETRY_INTERVAL_MS = 5_000;

export interface PhaseKeeperOptions extends StandByOptions {
  readonly signal: AbortSignal;
  /** @param from a store that this process has just closed */
  readonly newFollower: (from?: JsonStore) => WarmFollower;
  readonly newSession: (json: JsonStore) => JsonSession;
  /** What the flags' table said when they counted last; `null` before it was read. */
  readonly tableFlags: () => PhaseFlags | null;
  /** Whether other api processes serve, wherever they are. */
  readonly othersServe: () => Promise<boolean>;
  /** What this process says of itself has changed. */
  readonly onStanding: () => void;
}

/** Keeps this process where the system stands, and moves the system where this process drives. */
export class PhaseKeeper {
  readonly #options: PhaseKeeperOptions;
  readonly warmth: JsonWarmth;
  readonly lastKnownFlags: LastKnownFlags;
  #session: JsonSession | undefined;
  #effective: Standing | undefined;
  readonly waitingFor: WaitingFor;
  readonly #standBy: StandBy;
  #retryAtMs = 0;
  readonly #unanswered = new UnansweredCommit();
  #nudge = new AbortController();
  readonly #problems: ProblemTeller;

  constructor(options: PhaseKeeperOptions) {
    this.#options = options;
    this.warmth = new JsonWarmth(options.newFollower);
    this.#problems = new ProblemTeller(options.log);
    this.lastKnownFlags = new LastKnownFlags(options.tableFlags, options.log);
    this.waitingFor = new WaitingFor(options.log, options.onStanding);
    this.#standBy = new StandBy(options, {
      warmth: this.warmth,
      waitingFor: this.waitingFor,
      effective: () => this.#effective,
      stands: (standing) => void this.#stands(standing),
    });
  }

  get session(): JsonSession | undefined {
    return this.#session;
  }

  get effective(): Standing | undefined {
    return this.#effective;
  }

  /** That another api has the JSON store, as a sentence. Readiness says it at once; requests are told
   *  only when they have waited, and a balancer sends none any more. */
  get standsBy(): string | undefined {
    return this.#standBy.holder;
  }

  /** While PostgreSQL is primary: since when JSON must be brought up by difference, or `null`;
   *  `undefined` before the row was read. */
  get catchUpSince(): string | null | undefined {
    return this.#standBy.catchUpSince;
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

  servePostgres(state: Standing): void {
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
    await this.lastKnownFlags.keepIn(session.json.phase);
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
    const json = await this.#standBy.look();
    if (json !== undefined) await this.#takeOver(json);
  }

  /** Serves what is true once the stores agree. */
  async #takeOver(json: JsonStore): Promise<void> {
    const { newSession, postgres } = this.#options;
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

  #stands({ phase, epoch }: Standing): Standing {
    const before = this.#effective;
    this.#effective = { phase, epoch };
    if (before?.phase !== phase || before.epoch !== epoch) this.#options.onStanding();
    return this.#effective;
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
