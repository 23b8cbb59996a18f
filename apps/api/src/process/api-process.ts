//   start ── flags, manifest ──▶ first standing ──▶ the phase keeper follows, and moves, the phase
import type { Collection } from '@tandem/storage/collections';
import type { Configuration } from '@tandem/storage/configuration';
import { CatchUpWatch } from '@tandem/storage/consistency';
import { TandemError } from '@tandem/storage/errors';
import {
  inspectJsonPhase,
  inspectJsonStore,
  type JsonStore,
  type JsonStoreOptions,
  markServing,
  openJsonStore,
  type ServingMark,
  WarmFollower,
} from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import type { Observer } from '@tandem/storage/observer';
import {
  disagreement,
  type PhaseFlags,
  type ProcessWork,
  type ResolvedFlags,
  RoutedStore,
  readFence,
} from '@tandem/storage/phase';
import {
  createPool,
  FlagWatch,
  keepJsonDisagreements,
  openPostgresStore,
  type PostgresStore,
  ProcessRegistry,
} from '@tandem/storage/postgres';
import {
  createJobSink,
  createQueueClient,
  QUEUES,
  type QueueClient,
} from '@tandem/storage/replication';
import type { Pool } from 'pg';
import { DatabaseProbe } from './database-probe.ts';
import { diskTroubleOf } from './disk-trouble.ts';
import { FirstStanding } from './first-standing.ts';
import { JsonSession } from './json-session.ts';
import { API } from './json-take-over.ts';
import { OtherProcesses } from './other-processes.ts';
import { PhaseKeeper } from './phase-keeper.ts';

const POOL_CONNECTIONS_MAX = 10;

export interface ApiProcessOptions {
  readonly configuration: Configuration;
  readonly collections: readonly Collection[];
  readonly log: Log;
  readonly observer: Observer;
  /** What this process has done, for its sign of life. */
  readonly work?: () => ProcessWork;
}

/** Everything behind the routes: which store serves, how it came to, and what follows it. */
export class ApiProcess {
  readonly requests = new RoutedStore({ onNotPrimary: () => this.keeper.wake() });
  readonly database: DatabaseProbe;
  readonly keeper: PhaseKeeper;
  readonly watch: CatchUpWatch;
  readonly #options: ApiProcessOptions;
  readonly #pool: Pool;
  readonly #queues: QueueClient;
  readonly postgres: PostgresStore;
  readonly #served: PostgresStore;
  readonly #flags: FlagWatch;
  readonly #registry: ProcessRegistry;
  readonly #others: OtherProcesses;
  readonly #stopping = new AbortController();
  #lastKnownFlags: PhaseFlags | null = null;
  #mark: ServingMark | undefined;
  #starting: Promise<void> | undefined;
  #keeping: Promise<void> | undefined;

  /** @throws {TandemError} `configuration` without a database URL */
  constructor(options: ApiProcessOptions) {
    const { configuration, collections, log, observer } = options;
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
    this.postgres = openPostgresStore({ pool: this.#pool, collections, jobs, log, observer });
    this.#flags = new FlagWatch({
      pool: this.#pool,
      lockedFlags: configuration.lockedFlags,
      lastKnown: () => this.#lastKnownFlags,
      log,
    });
    this.#registry = new ProcessRegistry({ pool: this.#pool, kind: 'api', log });
    const { jsonDir } = configuration;
    this.#others = new OtherProcesses({ jsonDir, registry: this.#registry, log });
    this.watch = new CatchUpWatch(log);
    const inspectJson = () => inspectJsonPhase(jsonDir);
    // Requests are answered from no snapshot in which PostgreSQL was not the primary any more (I6).
    this.#served = this.postgres.fencedBy(readFence(inspectJson));
    this.keeper = new PhaseKeeper({
      postgres: this.#served,
      requests: this.requests,
      log,
      signal: this.#stopping.signal,
      desired: () => this.#flags.asked ?? this.keeper.effective?.phase ?? this.flags.desired,
      tableFlags: () => this.#flags.tableFlags(),
      openJson: (follower) => openJsonStore({ ...this.#jsonOptions(), follower }),
      newFollower: (from) => new WarmFollower(this.#jsonOptions(), from?.end),
      inspectJson,
      newSession: (json) => this.#newSession(json),
      othersServe: () => this.#others.serveAnywhere(),
      onStanding: () => this.#registry.beatNow(),
    });
  }

  /** The connections of requests and of all that follows the phase. */
  get pool(): Pool {
    return this.#pool;
  }

  get #diskTrouble(): string | null {
    const { session } = this.keeper;
    const trouble = session === undefined ? null : diskTroubleOf(session.json);
    return trouble === null ? null : `the disk of the JSON store. ${trouble}`;
  }

  get flags(): ResolvedFlags {
    return this.#flags.current();
  }

  /**
   * Brings the system to the desired phase as far as it goes, serves, and keeps to the phase.
   * @throws {TandemError} when not even the present phase can be served; the sentence says why
   */
  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    const { configuration, log } = this.#options;
    const found = await this.database.ask();
    this.#stopping.signal.throwIfAborted();
    this.database.watch();
    const { phase: manifest } = await inspectJsonStore(configuration.jsonDir);
    this.#lastKnownFlags = manifest?.lastKnownFlags ?? null;
    await this.#flags.start();
    this.#mark = await markServing(configuration.jsonDir, 'api');
    await this.#firstStanding().take(manifest, found);
    this.#stopping.signal.throwIfAborted();
    const phase = this.keeper.effective?.phase;
    log.info({ phase, desired: this.flags.desired }, `Serving in ${phase}.`);
    this.#flags.onDesired(() => this.keeper.wake());
    this.#flags.onDesired(() => this.#registry.beatNow());
    this.#registry.start(() => ({
      effective: this.keeper.effective?.phase ?? null,
      epoch: this.keeper.effective?.epoch ?? null,
      desired: this.flags.desired,
      flags: this.flags.flags,
      ready: this.requests.standing.store !== undefined,
      waitingFor: this.watch.waitingFor ?? this.keeper.waitingFor.sentence ?? this.#diskTrouble,
      catchUp: this.watch.current ?? null,
      work: this.#options.work?.() ?? null,
    }));
    this.#keeping = this.keeper.run();
  }

  /**
   * Ends what follows the primary, then the primary itself. Requests have ended before.
   * @throws {TandemError} when the files lack what the journal has; all of it is stopped then, too
   */
  async stop(drainTimeoutMs: number): Promise<void> {
    this.#stopping.abort(new TandemError('unavailable', 'The service is stopping.'));
    // What made a start fail is told by whoever awaits it; here it only must have ended.
    await this.#starting?.catch(() => undefined);
    await this.#keeping;
    await this.#flags.stop();
    try {
      await this.keeper.session?.close(drainTimeoutMs);
    } finally {
      await this.#registry.stop();
      await this.#mark?.release();
      this.database.stop();
      await this.postgres.close();
      await this.#queues.stop();
      await this.#pool.end();
    }
  }

  #firstStanding(): FirstStanding {
    const { configuration, log } = this.#options;
    return new FirstStanding({
      ...{ configuration, log, postgres: this.postgres, requests: this.requests },
      ...{ keeper: this.keeper, others: this.#others, signal: this.#stopping.signal },
      database: () => this.database.state,
      flags: () => this.flags,
      asked: () => this.#flags.asked,
      jsonOptions: () => this.#jsonOptions(),
      newSession: (json) => this.#newSession(json),
    });
  }

  #jsonOptions(): JsonStoreOptions {
    const { configuration, collections, log, observer } = this.#options;
    const { jsonDir: directory, adoptExternalEdits } = configuration;
    const otherPrimary = this.postgres;
    return {
      ...{ directory, adoptExternalEdits, collections, log, observer, otherPrimary },
      processName: API,
      keepDisagreements: keepJsonDisagreements(this.#pool),
    };
  }

  #newSession(json: JsonStore): JsonSession {
    const { collections, log, observer } = this.#options;
    return new JsonSession({
      ...{ json, collections, log, observer },
      ...{ postgres: this.postgres, served: this.#served },
      queues: this.#queues,
      requests: this.requests,
      watch: this.watch,
      verifySchedule: this.#options.configuration.verifySchedule,
      signal: this.#stopping.signal,
      desiredBy: (rows) => this.#flags.desiredBy(rows),
      othersServe: () => this.#others.serveAnywhere(),
      onReunited: () => this.keeper.reunited(),
      outside: async () => {
        const { state } = this.database;
        if (!state.usable) return { postgresProblem: state.why, disagreement: null };
        return { postgresProblem: null, disagreement: disagreement(await this.#registry.live()) };
      },
    });
  }
}
