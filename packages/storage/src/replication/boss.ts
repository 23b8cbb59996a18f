//   queueClient(pool)      ready() ──> boss.start() ──> enqueue / work
//                            │ fails (server down, not migrated): thrown,
//                            └ the next ready() tries again
import pg, { type Pool } from 'pg';
import { type ConstructorOptions, PgBoss } from 'pg-boss';
import { sentenceOf, TandemError } from '../errors.ts';
import type { Log } from '../log.ts';
import { declareQueues, queuesAreDeclared } from './queues.ts';

/** The schema pg-boss keeps its tables in. */
export const QUEUE_SCHEMA = 'pgboss';

/** What a process does with the queue. Only `migrate` may change pg-boss's schema; only `work` runs
 *  its maintenance (dropping finished jobs). */
export type QueueRole = 'migrate' | 'enqueue' | 'work';

const ROLES: Readonly<Record<QueueRole, Partial<ConstructorOptions>>> = {
  migrate: { migrate: true, supervise: false },
  enqueue: { migrate: false, supervise: false },
  work: { migrate: false, supervise: true, maintenanceIntervalSeconds: 60 },
};

const STOP_TIMEOUT_MS = 5_000;
/** The same background error again within this span is said at debug level only. */
const ERROR_REPEAT_MS = 3_600_000;
/** A server that is away: SQLSTATE classes 08 and 57, and what sockets and `pg` say. */
const AWAY_CODE = /^(08|57P|E[A-Z]+$)/;
const AWAY_SENTENCE = /^Connection terminated|timeout/i;

export interface QueueClient {
  readonly pool: Pool;
  /**
   * The started pg-boss. Concurrent callers share one start; after a failure the next call tries
   * again, so a server that is down at first costs nothing.
   * @throws {TandemError} `unavailable` when the queue schema or a queue is missing; whatever the
   *   connection throws otherwise
   */
  ready(): Promise<PgBoss>;
  /** Ends pg-boss's timers. The pool stays open: it belongs to the caller. Idempotent. */
  stop(): Promise<void>;
}

type IDatabase = NonNullable<ConstructorOptions['db']>;

/** pg-boss needs the ordinary type parsers, whatever the pool was given for the stores. */
const bossDatabase = (connection: Pick<Pool, 'query'>): IDatabase => ({
  executeSql: (text, values) =>
    connection.query({ text, types: pg.types, ...(values === undefined ? {} : { values }) }),
});

export interface QueueClientOptions {
  readonly pool: Pool;
  readonly role: QueueRole;
  readonly log: Log;
}

/** Makes a client of the queue. Nothing is sent before `ready()`. */
export function createQueueClient({ pool, role, log }: QueueClientOptions): QueueClient {
  let boss: PgBoss | undefined;
  let starting: Promise<PgBoss> | undefined;
  let stopped = false;

  const start = async (): Promise<PgBoss> => {
    const started = new PgBoss({
      db: bossDatabase(pool),
      schema: QUEUE_SCHEMA,
      schedule: false,
      registerInstance: false,
      ...ROLES[role],
    });
    listen(started, log);
    try {
      await started.start();
      if (role !== 'migrate' && !(await queuesAreDeclared(started))) {
        throw new TandemError('unavailable', 'The queues are missing: run "tandem migrate".');
      }
    } catch (error) {
      await started.stop({ graceful: false, timeout: STOP_TIMEOUT_MS });
      throw notMigrated(error) ?? error;
    }
    if (stopped) await started.stop({ graceful: false, timeout: STOP_TIMEOUT_MS });
    boss = started;
    return started;
  };

  return {
    pool,
    async ready() {
      if (stopped) throw new TandemError('unavailable', 'The queue client was stopped.');
      if (boss !== undefined) return boss;
      starting ??= start().finally(() => {
        starting = undefined;
      });
      return starting;
    },
    async stop() {
      stopped = true;
      if (starting !== undefined) await starting.catch(() => undefined);
      await boss?.stop({ graceful: false, timeout: STOP_TIMEOUT_MS });
    },
  };
}

/** pg-boss says "not installed" and "needs migration" in sentences of its own, without a code. */
function notMigrated(error: unknown): TandemError | undefined {
  const sentence = sentenceOf(error);
  if (!/not installed|database requires migrations|is not latest/i.test(sentence)) return undefined;
  return new TandemError('unavailable', 'The queue schema is not current: run "tandem migrate".', {
    cause: error,
  });
}

/** Background errors (its caches, its maintenance) never end the process. That the server is away is
 *  said at debug level only: the loops that depend on the queue see it themselves, and say it once. */
function listen(boss: PgBoss, log: Log): void {
  let last = { sentence: '', atMs: 0 };
  boss.on('error', (error) => {
    const sentence = sentenceOf(error);
    const repeated = sentence === last.sentence && Date.now() - last.atMs < ERROR_REPEAT_MS;
    const quiet = repeated || isAway(error);
    last = { sentence, atMs: Date.now() };
    log[quiet ? 'debug' : 'warn']({ error: sentence }, `Queue maintenance failed: ${sentence}`);
  });
  boss.on('warning', ({ message }) => log.debug({ message }, `Queue warning: ${message}`));
}

const isAway = (error: Error & { readonly code?: unknown }): boolean =>
  AWAY_CODE.test(String(error.code ?? '')) || AWAY_SENTENCE.test(error.message);

/**
 * Creates or migrates pg-boss's schema, and declares the queues. Idempotent; several processes may
 * call it at once.
 */
export async function migrateQueues(pool: Pool, log: Log): Promise<void> {
  const client = createQueueClient({ pool, role: 'migrate', log });
  try {
    await declareQueues(await client.ready());
  } finally {
    await client.stop();
  }
}
