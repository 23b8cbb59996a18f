//             ┌─ PostgreSQL is primary and desired ──────────────▶ serve PostgreSQL
//   manifest, ┼─ brake ──────────────────────────────────────────▶ serve JSON alone
//   row       └─ take the JSON lock ─ mend ─ walk ─┬─ JSON primary ▶ serve JSON, relay
//                                                  └─ give it up ──▶ serve PostgreSQL
import type { Configuration } from '@tandem/storage/configuration';
import { isTandemError, TandemError } from '@tandem/storage/errors';
import {
  inspectJsonPhase,
  type JsonStore,
  type JsonStoreOptions,
  othersServing,
} from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import {
  type JsonPhaseState,
  type Phase,
  type PostgresPhaseState,
  postgresWasRestored,
  primaryOf,
  pullBrake,
  type ResolvedFlags,
  type RoutedStore,
  walkTo,
} from '@tandem/storage/phase';
import type { PostgresStore } from '@tandem/storage/postgres';
import type { DatabaseState } from './database-probe.ts';
import { holdJsonStore } from './json-holder.ts';
import type { JsonSession } from './json-session.ts';
import type { OtherProcesses } from './other-processes.ts';
import type { PhaseKeeper } from './phase-keeper.ts';
import type { Standing } from './stand-by.ts';
import { asksForBrake, refuseWithoutPostgres } from './start-without-postgres.ts';
import { awaitsAnswer } from './unanswered-commit.ts';

const FLAGS_UNREAD = 'feature_flags to be read, which it never was: the phase stays.';

export interface FirstStandingOptions {
  readonly configuration: Configuration;
  readonly log: Log;
  readonly postgres: PostgresStore;
  readonly requests: RoutedStore;
  readonly keeper: PhaseKeeper;
  readonly others: OtherProcesses;
  readonly signal: AbortSignal;
  readonly database: () => DatabaseState;
  readonly flags: () => ResolvedFlags;
  /** The phase that they ask for; `undefined` where they were never read. */
  readonly asked: () => Phase | undefined;
  readonly jsonOptions: () => JsonStoreOptions;
  readonly newSession: (json: JsonStore) => JsonSession;
}

/** How a process that starts comes to serve. */
export class FirstStanding {
  readonly #options: FirstStandingOptions;

  constructor(options: FirstStandingOptions) {
    this.#options = options;
  }

  /**
   * Brings the system to the desired phase as far as it goes, and serves.
   * @param manifest what it said before anything was asked
   * @param found PostgreSQL when it was asked first
   * @throws {TandemError} when not even the present phase can be served; the sentence says why
   */
  async take(manifest: JsonPhaseState | undefined, found: DatabaseState): Promise<void> {
    const { configuration, keeper, flags } = this.#options;
    if (!found.usable) {
      if (asksForBrake(configuration.lockedFlags, manifest)) return this.#brake();
      refuseWithoutPostgres(flags(), manifest, found.why);
      return this.#takeAndWalk();
    }
    const row = await this.#servableRow(this.#options.asked()).catch((error: unknown) => {
      // It has gone since it was asked: the walk serves JSON without it (I5).
      if (manifest === undefined || primaryOf(manifest.phase) === 'postgres') throw error;
      if (!isTandemError(error)) throw error;
      return undefined;
    });
    if (row !== undefined) keeper.servePostgres(row);
    else await this.#takeAndWalk();
  }

  /** The phase row, if there is nothing to move and nothing to mend: several api processes may serve
   *  PostgreSQL like this. Beside one that serves, a walk's pause would be that one's, and no gate would be
   *  asked: there the phase moves by a live switch alone. */
  async #servableRow(desired: Phase | undefined): Promise<Standing | undefined> {
    const { configuration, postgres, others } = this.#options;
    const row = await postgres.phase.read();
    if (row.pairId === null) return undefined;
    const manifest = await inspectJsonPhase(configuration.jsonDir);
    // A folder without a store is nothing to walk with: the pair's JSON side is lost, or on another machine.
    if (manifest === undefined) {
      if (primaryOf(row.phase) === 'json') throw notHere(row, configuration.jsonDir);
    } else {
      if (primaryOf(row.phase) === 'json' || row.sealed) return undefined;
      const isDesired = desired === undefined || row.phase === desired;
      if (!isDesired && !(await others.serve())) return undefined;
      if (manifest.pairId !== row.pairId || manifest.epoch > row.epoch) return undefined;
      // Whoever holds the JSON store may answer reads from it until it is told that this is the primary.
      if (manifest.committing !== null) return undefined;
    }
    // One that was put back is looked at by whoever holds the JSON store.
    const { here } = await postgres.phase.acquaintance(row.pairId);
    return postgresWasRestored(here, manifest?.seenPostgres ?? null) ? undefined : row;
  }

  /** @throws {TandemError} `unavailable` while another api process of this machine lives */
  async #brake(): Promise<void> {
    const { configuration, log, keeper, newSession, database } = this.#options;
    await this.#refuseBesideOthers();
    const json = await this.#holdJson();
    const session = newSession(json);
    let isEmergency: boolean;
    try {
      // Whoever held it may have moved the phase, and PostgreSQL may be back: then there is none.
      const asks = asksForBrake(configuration.lockedFlags, json.phase.read());
      isEmergency = asks && !database().usable;
      if (isEmergency) {
        await this.#refuseBesideOthers();
        keeper.waitingFor.sentence = await pullBrake(json, new Date(), log);
      }
    } catch (error) {
      await session.letGo();
      throw error;
    }
    if (!isEmergency) return this.#walk(session);
    session.machine.brake();
    keeper.serveJson(session);
  }

  async #refuseBesideOthers(): Promise<void> {
    const others = await othersServing(this.#options.configuration.jsonDir);
    if (others.length === 0) return;
    const sentence = `The emergency brake is refused: ${others.join(', ')} may still write to PostgreSQL; stop it first.`;
    throw new TandemError('unavailable', sentence);
  }

  #holdJson(): Promise<JsonStore> {
    const { jsonOptions, signal, requests } = this.#options;
    return holdJsonStore(jsonOptions(), {
      signal,
      onHeld: (sentence) => requests.refuse(sentence),
    });
  }

  async #takeAndWalk(): Promise<void> {
    const json = await this.#holdJson();
    await this.#walk(this.#options.newSession(json));
  }

  /** Why the phase stays as it is; `null` where it may be moved. */
  async #mayNotWalk(
    json: JsonStore,
    flags: ResolvedFlags,
    { usable }: DatabaseState,
  ): Promise<string | null> {
    const { asked, others } = this.#options;
    if (asked() === undefined) return FLAGS_UNREAD;
    return usable ? others.mayNotWalk(json, flags) : null;
  }

  async #walk(session: JsonSession): Promise<void> {
    const { log, keeper, requests, database } = this.#options;
    const { json } = session;
    // Another api may have held it for days: what was asked for when this one started counts no more.
    const flags = this.#options.flags();
    const { desired } = flags;
    requests.refuse(`The stores are being brought to ${desired}.`);
    const state = database();
    try {
      const { effective, waitingFor } = await walkTo(desired, {
        ...session.context('start'),
        postgres: state.usable ? this.#options.postgres : null,
        ...(state.usable ? {} : { unreachable: state.why }),
        jsonIsBlank: json.isBlank,
        disagreement: await this.#mayNotWalk(json, flags, state),
      });
      keeper.waitingFor.sentence = waitingFor;
      if (waitingFor !== null) {
        const sentence = `Staying in ${effective}, not ${desired}: ${waitingFor}`;
        log.warn({ effective, desired, waitingFor }, sentence);
      }
      await keeper.lastKnownFlags.keepIn(json.phase);
      if (primaryOf(effective) === 'json') return keeper.serveJson(session);
    } catch (error) {
      const isUnanswered = isTandemError(error, 'unavailable') && awaitsAnswer(json);
      if (isUnanswered) return keeper.serveReads(session, error.message);
      await session.letGo();
      throw error;
    }
    const ended = json.phase.read();
    await session.letGo();
    keeper.servePostgres(ended);
    keeper.warmth.keepFrom(json, ended.phase);
  }
}

/** An empty store made in its place would be no pair's, and look like one to the next start. */
const notHere = ({ pairId, phase }: PostgresPhaseState, directory: string): TandemError =>
  new TandemError(
    'mismatched-stores',
    `The primary is the JSON store ${pairId} (${phase}), and it is not in JSON_DIR (${directory}): that is empty, not mounted, or on another machine than the store. Set JSON_DIR to its folder, or put that back.`,
  );
