//                     ┌─ PostgreSQL is primary and desired ──────────────▶ serve PostgreSQL
//   start ── flags ───┤
//                     └─ take the JSON lock ─ mend ─ walk ─┬─ JSON primary ▶ serve JSON, relay
//                                                          └─ give it up ──▶ serve PostgreSQL
import type { Collection } from '@tandem/storage/collections';
import type { Configuration } from '@tandem/storage/configuration';
import { TandemError } from '@tandem/storage/errors';
import { inspectJsonStore, type JsonStore } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import { type Phase, primaryOf, type ResolvedFlags, walkTo } from '@tandem/storage/phase';
import { createPool, openPostgresStore, type PostgresStore } from '@tandem/storage/postgres';
import {
  createJobSink,
  createQueueClient,
  createQueueUpkeep,
  QUEUES,
  type QueueClient,
  type Relay,
} from '@tandem/storage/replication';
import type { Pool } from 'pg';
import { DatabaseProbe } from './database-probe.ts';
import { type DesiredPhase, resolveDesiredPhase } from './desired-phase.ts';
import { followWithPostgres, journalOf } from './follow.ts';
import { holdJsonStore } from './json-holder.ts';
import { Primary } from './primary.ts';

const POOL_CONNECTIONS_MAX = 10;

export interface ApiProcessOptions {
  readonly configuration: Configuration;
  readonly collections: readonly Collection[];
  readonly log: Log;
}

/** Everything behind the routes: which store serves, how it came to, and what follows it. */
export class ApiProcess {
  readonly primary = new Primary();
  readonly database: DatabaseProbe;
  readonly #options: ApiProcessOptions;
  readonly #pool: Pool;
  readonly #queues: QueueClient;
  readonly #postgres: PostgresStore;
  readonly #stopping = new AbortController();
  #starting: Promise<void> | undefined;
  #json: JsonStore | undefined;
  #relay: Relay | undefined;
  #flags: ResolvedFlags | undefined;
  #waitingFor: string | null = null;
  #epoch = 0;

  /** @throws {TandemError} `configuration` without a database URL */
  constructor(options: ApiProcessOptions) {
    const { configuration, collections, log } = options;
    if (configuration.databaseUrl === undefined) {
      throw new TandemError(
        'configuration',
        'DATABASE_URL is not set; "npm start" sets it for the embedded server.',
      );
    }
    this.#options = options;
    this.#pool = createPool(configuration.databaseUrl, {
      max: POOL_CONNECTIONS_MAX,
      applicationName: 'tandem-api',
    });
    this.database = new DatabaseProbe(this.#pool, log);
    this.#queues = createQueueClient({ pool: this.#pool, role: 'enqueue', log });
    const jobs = createJobSink({ queues: this.#queues, queue: QUEUES.json });
    this.#postgres = openPostgresStore({ pool: this.#pool, collections, jobs, log });
  }

  get flags(): ResolvedFlags | undefined {
    return this.#flags;
  }

  get waitingFor(): string | null {
    return this.#waitingFor;
  }

  get relay(): Relay | undefined {
    return this.#relay;
  }

  /** Of the phase served, as far as this process knows; 0 before. */
  get epoch(): number {
    return this.#json?.phase.read().epoch ?? this.#epoch;
  }

  get json(): JsonStore | undefined {
    return this.#json;
  }

  /**
   * Brings the system to the desired phase as far as it goes, and serves.
   * @throws {TandemError} when not even the present phase can be served; the sentence says why
   */
  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { configuration, log } = this.#options;
    const database = await this.database.ask();
    this.#stopping.signal.throwIfAborted();
    this.database.watch();
    const flags = await resolveDesiredPhase(configuration, this.#pool, database);
    this.#flags = flags;
    if (!database.usable) await this.#refuseWithoutPostgres(flags, database.why);
    if (database.usable && (await this.#postgresServesAlready(flags.desired))) {
      this.primary.serve(this.#postgres, flags.desired);
    } else {
      await this.#walk(flags);
    }
    const { standing } = this.primary;
    if (standing.serving) {
      log.info({ phase: standing.phase, desired: flags.desired }, `Serving in ${standing.phase}.`);
    }
  }

  /** Ends what follows the primary, then the primary itself. Requests have ended before. */
  async stop(drainTimeoutMs: number): Promise<void> {
    this.#stopping.abort(new TandemError('unavailable', 'The service is stopping.'));
    // What made a start fail is told by whoever awaits it; here it only must have ended.
    await this.#starting?.catch(() => undefined);
    await this.#relay?.stop({ drainTimeoutMs });
    this.database.stop();
    await this.#json?.close();
    await this.#postgres.close();
    await this.#queues.stop();
    await this.#pool.end();
  }

  /** A PostgreSQL phase without PostgreSQL can't be served; a JSON phase can. */
  async #refuseWithoutPostgres(flags: ResolvedFlags, why: string): Promise<void> {
    const { phase: phaseState } = await inspectJsonStore(this.#options.configuration.jsonDir);
    const effective = phaseState?.phase;
    if (effective !== undefined && primaryOf(effective) === 'postgres') {
      throw new TandemError('unavailable', `The primary is PostgreSQL (${effective}): ${why}`);
    }
    const { value, source } = flags.flags.USE_DATABASE_STORAGE;
    if (value && source === 'environment') {
      throw new TandemError(
        'unavailable',
        `FF_USE_DATABASE_STORAGE asks for ${flags.desired}, but PostgreSQL can't be used: ${why}`,
      );
    }
  }

  /** Nothing to move and nothing to mend: several api processes may serve like this. */
  async #postgresServesAlready(desired: Phase): Promise<boolean> {
    const state = await this.#postgres.phase.read();
    if (state.pairId === null || state.phase !== desired || state.sealed) return false;
    if (primaryOf(state.phase) !== 'postgres') return false;
    this.#epoch = state.epoch;
    const { phase: phaseState } = await inspectJsonStore(this.#options.configuration.jsonDir);
    return (
      phaseState === undefined ||
      (phaseState.pairId === state.pairId && phaseState.epoch <= state.epoch)
    );
  }

  async #walk(flags: DesiredPhase): Promise<void> {
    const { configuration, collections, log } = this.#options;
    const json = await holdJsonStore(
      {
        directory: configuration.jsonDir,
        collections,
        adoptExternalEdits: configuration.adoptExternalEdits,
        log,
        processName: 'api',
      },
      {
        signal: this.#stopping.signal,
        onHeld: (sentence) => this.primary.refuse(sentence),
      },
    );
    this.#json = json;
    this.primary.refuse(`The stores are being brought to ${flags.desired}.`);
    const { state } = this.database;
    const journal = journalOf(json, this.#queues);
    const stores = { json, postgres: this.#postgres };
    const queues = createQueueUpkeep({ queues: this.#queues, stores, collections, journal, log });
    const context = {
      json,
      queues,
      collections,
      log,
      actor: `api ${process.pid}`,
      reason: 'start',
      now: () => new Date(),
    };
    const { effective, waitingFor } = await walkTo(flags.desired, {
      ...context,
      postgres: state.usable ? this.#postgres : null,
      ...(state.usable ? {} : { unreachable: state.why }),
      jsonIsBlank: json.isBlank,
    });
    this.#waitingFor = waitingFor;
    if (waitingFor !== null) {
      log.warn(
        { effective, desired: flags.desired, waitingFor },
        `Staying in ${effective}, not ${flags.desired}: ${waitingFor}`,
      );
    }
    if (flags.tableFlags !== null) await json.phase.update({ lastKnownFlags: flags.tableFlags });
    if (primaryOf(effective) === 'postgres') {
      this.#epoch = json.phase.read().epoch;
      this.#json = undefined;
      await json.close();
      this.primary.serve(this.#postgres, effective);
      return;
    }
    this.primary.serve(json, effective);
    if (effective === 'json-primary') {
      this.#relay = followWithPostgres(
        { ...context, postgres: this.#postgres },
        journal,
        this.#queues,
      );
    }
  }
}
