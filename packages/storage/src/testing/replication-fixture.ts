import type { Change, Item } from '../changes/index.ts';
import { loadCollections } from '../collections/index.ts';
import { silentLog } from '../log.ts';
import type { StoreName } from '../phase/index.ts';
import { openPostgresStore, type PostgresStore } from '../postgres/index.ts';
import { deadLetter } from '../replication/claims.ts';
import { createJobSink, inTransaction, QUEUES, readBacklog } from '../replication/index.ts';
import { NEVER_FAILED, nextFailure } from '../replication/job-failure.ts';
import { createQueueDatabase, type QueueDatabase } from './queue-database.ts';
import { changeOf, expenseText } from './store-fixture.ts';
import { until } from './until.ts';

const TRANSACTION_TIMEOUT_MS = 10_000;

/** A database with queues, and the PostgreSQL store over it. */
export interface ReplicationFixture extends QueueDatabase {
  readonly collections: Awaited<ReturnType<typeof loadCollections>>;
  readonly store: PostgresStore;
  /** Commits jobs for these changes, or raw job data. */
  enqueue(direction: StoreName, changes: readonly Change[]): Promise<void>;
  /** Commits jobs for these changes and dead-letters them, each with an error, as a worker would. */
  bury(
    direction: StoreName,
    changes: readonly Change[],
    problemOf?: (change: Change) => { readonly cause: string; readonly error: string },
  ): Promise<void>;
  /** Empties the queues and the tables. */
  clear(): Promise<void>;
  /** Waits until nothing waits or is in hand in a direction. */
  drained(direction: StoreName): Promise<void>;
}

export async function createReplicationFixture(): Promise<ReplicationFixture> {
  const database = await createQueueDatabase();
  const { pool, queues } = database;
  const collections = await loadCollections();
  const sinks = {
    postgres: createJobSink({ queues, queue: QUEUES.postgres }),
    json: createJobSink({ queues, queue: QUEUES.json }),
  };
  const store = openPostgresStore({ pool, collections, jobs: sinks.json, log: silentLog });
  const enqueue: ReplicationFixture['enqueue'] = (direction, changes) =>
    inTransaction(pool, { timeoutMs: TRANSACTION_TIMEOUT_MS }, (client) =>
      sinks[direction].insert(
        client,
        changes.map((change): Item => ({ kind: 'change', change })),
      ),
    );
  return {
    ...database,
    ...{ collections, store, enqueue },
    async bury(direction, changes, problemOf = () => ({ cause: 'rejected', error: 'no' })) {
      await enqueue(direction, changes);
      const queue = QUEUES[direction];
      const jobs = await (await queues.ready()).fetch<{ change: Change }>(queue, {
        batchSize: changes.length,
      });
      const at = new Date().toISOString();
      const failed = jobs.map(({ id, retryCount, data }) => ({
        claim: { id, retryCount },
        failure: nextFailure(NEVER_FAILED, problemOf(data.change), at),
      }));
      await deadLetter(pool, queue, failed);
    },
    async clear() {
      await pool.query('DELETE FROM pgboss.job; TRUNCATE expenses, incomes, tombstones');
    },
    async drained(direction) {
      await until(`${QUEUES[direction]} is drained`, async () => {
        const queue = (await readBacklog(pool)).queues[QUEUES[direction]];
        return queue !== undefined && queue.waiting + queue.active === 0;
      });
    },
    async drop() {
      await store.close();
      await database.drop();
    },
  };
}

/** Versions 1 to `length` of one expense, the last one a deletion if asked for. */
export function chainOf(id: number, length: number, deleted = false): Change[] {
  return Array.from({ length }, (_, index) => {
    const version = index + 1;
    const last = version === length;
    return changeOf(
      id,
      { epoch: 1, version },
      version === 1 ? null : { epoch: 1, version: version - 1 },
      last && deleted ? null : expenseText(id, `version ${version}`),
    );
  });
}
