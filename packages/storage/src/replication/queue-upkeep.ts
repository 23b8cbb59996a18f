import type { Pool } from 'pg';
import type { Change } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import type { Log } from '../log.ts';
import type { QueueUpkeep, RelayedJournal, StoreName } from '../phase/index.ts';
import type { Store } from '../store.ts';
import { readBacklog } from './backlog.ts';
import { QUEUE_SCHEMA, type QueueClient } from './boss.ts';
import { createJobSink } from './boss-job-sink.ts';
import { QUEUES } from './job-sink.ts';
import { deadLetterQueueOf } from './queues.ts';
import { retireSuperseded } from './retire-superseded.ts';
import { inTransaction } from './transaction.ts';

const TRANSACTION_TIMEOUT_MS = 30_000;

export interface QueueUpkeepOptions {
  readonly queues: QueueClient;
  readonly stores: Readonly<Record<StoreName, Store>>;
  readonly collections: readonly Collection[];
  /** Where this process holds the journal: what PostgreSQL has needs no relaying. */
  readonly journal?: RelayedJournal;
  /** What an error of the database or of pg-boss is to whoever called. */
  readonly operatingError: (error: unknown) => unknown;
  readonly log: Log;
}

/** What a switch needs of the queues, over pg-boss. */
export function createQueueUpkeep(options: QueueUpkeepOptions): QueueUpkeep {
  const { queues, stores, collections, journal, operatingError, log } = options;
  const { pool } = queues;
  const upkeep: QueueUpkeep = {
    async dropCovered(direction) {
      const boss = await queues.ready();
      // Those that somebody has, or had, in hand as well: settling them then finds nothing.
      await boss.deleteAllJobs(QUEUES[direction]);
      await retireSuperseded({ pool, direction, store: stores[direction], collections, log });
      if (direction === 'postgres') await journal?.skipTo(journal.head());
    },

    async beginRelay() {
      await journal?.beginAtHead();
    },

    async waiting(direction) {
      const queue = (await readBacklog(pool)).queues[QUEUES[direction]];
      return queue === undefined ? 0 : queue.waiting + queue.active;
    },

    async enqueueRejected(direction, changes) {
      const known = await standing(pool, direction, changes);
      const items = changes
        .filter((change) => !known.has(nameOf(change)))
        .map((change) => ({ kind: 'change' as const, change }));
      const sink = createJobSink({ queues, queue: QUEUES[direction] });
      await inTransaction(pool, { timeoutMs: TRANSACTION_TIMEOUT_MS }, (client) =>
        sink.insert(client, items),
      );
    },
  };
  const translated = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw operatingError(error);
    }
  };
  return {
    dropCovered: (direction) => translated(upkeep.dropCovered(direction)),
    beginRelay: () => translated(upkeep.beginRelay()),
    waiting: (direction) => translated(upkeep.waiting(direction)),
    enqueueRejected: (direction, changes) => translated(upkeep.enqueueRejected(direction, changes)),
  };
}

/** Which of the changes are on their way to be a dead letter, or are one: every catch-up meets them
 *  anew, and they get no second job. */
async function standing(
  pool: Pool,
  direction: StoreName,
  changes: readonly Change[],
): Promise<ReadonlySet<string>> {
  const queue = QUEUES[direction];
  const { rows } = await pool.query<{ name: string }>(
    `SELECT name FROM (
       SELECT concat_ws(' ', c->>'collection', c->>'id', c->>'epoch', c->>'version') AS name
       FROM (SELECT data->'change' AS c FROM ${QUEUE_SCHEMA}.job
             WHERE name = ANY ($1) AND state IN ('created', 'retry', 'active')) AS live
     ) AS named WHERE name = ANY ($2)`,
    [[queue, deadLetterQueueOf(queue)], changes.map(nameOf)],
  );
  return new Set(rows.map(({ name }) => name));
}

const nameOf = ({ collection, id, epoch, version }: Change): string =>
  `${collection} ${id} ${epoch} ${version}`;
