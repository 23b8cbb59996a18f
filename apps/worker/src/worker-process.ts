//   connecting ──> following ── phase (every 500 ms) ──> write-to-postgres  always
//       ^              │                                 write-to-json      in postgres-primary
//       └── PostgreSQL ┘
//           away, or not migrated: one WARN, asked again
//
// write-to-postgres is worked in every phase: in the PostgreSQL phases only remnants of a switch can
// be in it, and the version guard makes no-ops of them (I4).
import type { Collection } from '@tandem/storage/collections';
import type { Configuration } from '@tandem/storage/configuration';
import { CatchUpWatch } from '@tandem/storage/consistency';
import { counted } from '@tandem/storage/counted';
import { sentenceOf, TandemError } from '@tandem/storage/errors';
import type { Log } from '@tandem/storage/log';
import type { Observer } from '@tandem/storage/observer';
import {
  type Gate,
  type PostgresPhaseState,
  type ProcessWork,
  secondaryOf,
} from '@tandem/storage/phase';
import {
  createPool,
  FlagWatch,
  openPostgresStore,
  type PostgresStore,
  ProcessRegistry,
  schemaIsCurrent,
  thinOutDirtyRanges,
  whilePhaseStands,
} from '@tandem/storage/postgres';
import {
  createJobSink,
  createQueueClient,
  type DirectionWorker,
  dropUnfollowed,
  listenForJobs,
  QUEUES,
  type QueueClient,
  readBacklog,
  retireSuperseded,
  startDirection,
} from '@tandem/storage/replication';
import type { ProcessFacts } from '@tandem/telemetry';
import type { Pool } from 'pg';
import { JsonFollower } from './json-follower.ts';
import { Outage } from './outage.ts';
import { pause } from './pause.ts';
import { troubleOf, type WorkerReport } from './report.ts';

const POOL_CONNECTIONS_MAX = 8;
const PHASE_INTERVAL_MS = 500;
const RETIRE_INTERVAL_MS = 5_000;
/** Looking through very many dead letters takes seconds: it rests so many times as long. */
const RETIRE_REST_FACTOR = 20;
/** Whoever asks how this process is shall not wait for a server that does not answer. */
const COUNT_TIMEOUT_MS = 2_000;

export interface WorkerProcessOptions {
  readonly configuration: Configuration;
  readonly collections: readonly Collection[];
  readonly log: Log;
  readonly observer: Observer;
  /** What this process has done, for its sign of life. */
  readonly work?: () => ProcessWork;
}

/** Everything the worker process does: follows the phase, and works the queues it calls for. */
export class WorkerProcess {
  readonly #options: WorkerProcessOptions;
  readonly #pool: Pool;
  readonly #queues: QueueClient;
  readonly #postgres: PostgresStore;
  readonly #json: JsonFollower;
  readonly #flags: FlagWatch;
  readonly #registry: ProcessRegistry;
  readonly #outage: Outage;
  readonly #watch: CatchUpWatch;
  readonly #stopping = new AbortController();
  #following: Promise<void> = Promise.resolve();
  #toPostgres: DirectionWorker | undefined;
  #stopListening: (() => Promise<void>) | undefined;
  #phase: PostgresPhaseState | undefined;
  #retireAtMs = 0;

  /** @throws {TandemError} `configuration` without a database URL */
  constructor(options: WorkerProcessOptions) {
    const { configuration, collections, log, observer } = options;
    if (configuration.databaseUrl === undefined) {
      throw new TandemError(
        'configuration',
        'DATABASE_URL is not set; "npm start" sets it for the embedded server.',
      );
    }
    this.#options = options;
    this.#outage = new Outage(log, 'PostgreSQL');
    this.#pool = createPool(configuration.databaseUrl, {
      ...{ max: POOL_CONNECTIONS_MAX, applicationName: 'tandem-worker', log },
    });
    this.#queues = createQueueClient({ pool: this.#pool, role: 'work', log });
    const jobs = createJobSink({ queues: this.#queues, queue: QUEUES.json });
    this.#postgres = openPostgresStore({ pool: this.#pool, collections, jobs, log, observer });
    this.#registry = new ProcessRegistry({ pool: this.#pool, kind: 'worker', log });
    this.#flags = new FlagWatch({
      pool: this.#pool,
      lockedFlags: configuration.lockedFlags,
      lastKnown: () => null,
      log,
    });
    this.#watch = new CatchUpWatch(log);
    this.#json = new JsonFollower({
      directory: configuration.jsonDir,
      adoptExternalEdits: configuration.adoptExternalEdits,
      verifySchedule: configuration.verifySchedule,
      processes: this.#registry,
      desiredBy: (rows) => this.#flags.desiredBy(rows),
      watch: this.#watch,
      ...{ collections, postgres: this.#postgres, queues: this.#queues, log, observer },
    });
  }

  get pool(): Pool {
    return this.#pool;
  }

  start(): void {
    this.#following = this.#follow();
  }

  async #tellThatItRuns(): Promise<void> {
    await this.#flags.start();
    this.#registry.start(() => ({
      effective: this.#phase?.phase ?? null,
      epoch: this.#phase?.epoch ?? null,
      desired: this.#flags.current().desired,
      flags: this.#flags.current().flags,
      ready: this.#isReady,
      waitingFor: this.#watch.waitingFor ?? this.#json.waitingFor ?? this.#trouble,
      catchUp: this.#watch.current ?? null,
      work: this.#options.work?.() ?? null,
    }));
  }

  /** What `/readyz` says. Asks the queue; never throws. */
  async report(): Promise<WorkerReport> {
    const outage = this.#outage.current;
    const toPostgres = this.#toPostgres?.status();
    const { current: catchUp } = this.#watch;
    return {
      phase: this.#phase,
      ...(outage === undefined ? {} : { outage }),
      ...(toPostgres === undefined ? {} : { toPostgres }),
      json: this.#json.status(),
      ...(catchUp === undefined ? {} : { catchUp }),
      backlog: outage === undefined ? await this.#backlog() : undefined,
    };
  }

  /** How it stands, from memory alone. */
  standing(): ProcessFacts {
    const directions = [this.#toPostgres?.status(), this.#json.status().direction];
    return {
      ...{ effective: this.#phase?.phase, epoch: this.#phase?.epoch },
      desired: this.#flags.current().desired,
      ready: this.#isReady,
      postgresUsable: this.#phase !== undefined && this.#outage.current === undefined,
      pools: { worker: this.#pool },
      directions: directions.filter((status) => status !== undefined),
      catchUp: this.#watch.current,
    };
  }

  /** The gates of a move away from `postgres-primary`; `undefined` unless this process would drive. */
  async gates(): Promise<readonly Gate[] | undefined> {
    return this.#json.gates();
  }

  get #trouble(): string | null {
    const toPostgres = this.#toPostgres?.status();
    return troubleOf({ json: this.#json.status(), ...(toPostgres && { toPostgres }) });
  }

  get #isReady(): boolean {
    return this.#toPostgres !== undefined && this.#outage.current === undefined;
  }

  /**
   * Drains both directions within the deadline, checkpoints, and says what is left.
   * @throws {TandemError} when the files lack what the journal has; all of it is stopped then, too
   */
  async stop({ drainTimeoutMs }: { readonly drainTimeoutMs: number }): Promise<void> {
    this.#stopping.abort();
    await this.#following;
    await this.#lookOnceMore();
    const stopped = await Promise.allSettled([
      this.#toPostgres?.stop({ drainTimeoutMs }),
      this.#json.stop({ drainTimeoutMs }),
      this.#stopListening?.(),
    ]);
    await this.#sayWhatIsLeft();
    await this.#flags.stop();
    await this.#registry.stop();
    await this.#queues.stop();
    await this.#postgres.close();
    await this.#pool.end();
    for (const one of stopped) if (one.status === 'rejected') throw one.reason;
  }

  async #follow(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.#look();
      await pause(PHASE_INTERVAL_MS, this.#stopping.signal);
    }
  }

  /** The phase may have moved since the last look, and what to drain depends on it. */
  async #lookOnceMore(): Promise<void> {
    if (this.#outage.current === undefined) await this.#look();
  }

  async #look(): Promise<void> {
    try {
      if (this.#toPostgres === undefined) await this.#begin();
      const state = await this.#postgres.phase.read();
      this.#outage.ended();
      if (state.phase !== this.#phase?.phase) {
        const { phase, epoch } = state;
        this.#options.log.info({ phase, epoch }, `Phase: ${phase}`);
      }
      this.#phase = state;
      this.#json.follow(state, this.#flags.asked ?? state.phase);
      await this.#retireNowAndThen();
    } catch (error) {
      this.#outage.began(error);
    }
  }

  async #begin(): Promise<void> {
    const { collections, log, observer } = this.#options;
    if (!(await schemaIsCurrent(this.#pool))) {
      throw new TandemError('unavailable', 'its schema is not current, run "tandem migrate".');
    }
    await this.#queues.ready();
    await this.#tellThatItRuns();
    this.#toPostgres = startDirection({
      direction: 'postgres',
      ...{ store: this.#postgres, queues: this.#queues, collections, log, observer },
    });
    this.#stopListening = listenForJobs(
      this.#pool,
      (queue) => (queue === QUEUES.json ? this.#json : this.#toPostgres)?.wake(),
      log,
    );
  }

  /** Dead letters whose record has moved on have nothing left to say; nor have marks of one range, or jobs
   *  that nobody takes. */
  async #retireNowAndThen(): Promise<void> {
    if (performance.now() < this.#retireAtMs) return;
    const startedMs = performance.now();
    this.#retireAtMs = startedMs + RETIRE_INTERVAL_MS;
    const { collections, log } = this.#options;
    await thinOutDirtyRanges(this.#pool);
    await this.#dropUnfollowed();
    const shared = { pool: this.#pool, collections, log };
    await retireSuperseded({ ...shared, direction: 'postgres', store: this.#postgres });
    const { store } = this.#json;
    if (store !== undefined) await retireSuperseded({ ...shared, direction: 'json', store });
    const tookMs = performance.now() - startedMs;
    this.#retireAtMs = Math.max(this.#retireAtMs, performance.now() + tookMs * RETIRE_REST_FACTOR);
  }

  async #dropUnfollowed(): Promise<void> {
    // A look from memory; whether it is so is decided where they are dropped.
    if (this.#phase === undefined || secondaryOf(this.#phase.phase) === 'json') return;
    const jobs = await dropUnfollowed((act) => whilePhaseStands(this.#pool, act));
    if (jobs === 0) return;
    const sentence = `Dropped ${counted(jobs, 'change')} that waited for JSON, which follows no more`;
    this.#options.log.info({ jobs }, `Dual-write: ${sentence}`);
  }

  async #backlog(): Promise<WorkerReport['backlog']> {
    const late = new Promise<undefined>((settle) => {
      setTimeout(() => settle(undefined), COUNT_TIMEOUT_MS).unref();
    });
    try {
      return await Promise.race([readBacklog(this.#pool), late]);
    } catch (error) {
      this.#options.log.debug({ error: sentenceOf(error) }, 'The backlog could not be counted');
      return undefined;
    }
  }

  async #sayWhatIsLeft(): Promise<void> {
    const backlog = this.#outage.current === undefined ? await this.#backlog() : undefined;
    const { log } = this.#options;
    if (backlog === undefined) log.warn({}, 'Stopped; what waits in the queue is not known');
    else if (backlog.total > 0) {
      log.warn(
        { backlog },
        `Stopped with ${counted(backlog.total, 'change')} waiting in the queue`,
      );
    } else log.info({}, 'Stopped; nothing waits in the queue');
  }
}
