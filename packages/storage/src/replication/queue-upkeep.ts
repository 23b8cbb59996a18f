import type { Pool } from 'pg';
import type { Change } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import type { Log } from '../log.ts';
import type { QueueUpkeep, RelayedJournal, StoreName } from '../phase/index.ts';
import type { Store } from '../store.ts';
import type { QueueClient } from './boss.ts';
import { createJobSink } from './boss-job-sink.ts';
import { listDeadLetters, retireSuperseded } from './dead-letters.ts';
import { QUEUES } from './job-sink.ts';
import { inTransaction } from './transaction.ts';

const TRANSACTION_TIMEOUT_MS = 30_000;
/** Dead letters looked through for one that stands already. */
const KNOWN_MAX = 10_000;

export interface QueueUpkeepOptions {
  readonly queues: QueueClient;
  readonly stores: Readonly<Record<StoreName, Store>>;
  readonly collections: readonly Collection[];
  /** Where this process holds the journal: what PostgreSQL has needs no relaying. */
  readonly journal?: RelayedJournal;
  readonly log: Log;
}

/** What a switch needs of the queues, over pg-boss. */
export function createQueueUpkeep(options: QueueUpkeepOptions): QueueUpkeep {
  const { queues, stores, collections, journal, log } = options;
  const { pool } = queues;
  return {
    async dropCovered(direction) {
      const boss = await queues.ready();
      await boss.deleteQueuedJobs(QUEUES[direction]);
      await retireSuperseded({ pool, direction, store: stores[direction], collections, log });
      if (direction === 'postgres') await journal?.skipTo(journal.head());
    },

    async beginRelay() {
      await journal?.beginAtHead();
    },

    async enqueueRejected(direction, changes) {
      const known = await knownLetters(pool, direction);
      const items = changes
        .filter((change) => !known.has(nameOf(change)))
        .map((change) => ({ kind: 'change' as const, change }));
      const sink = createJobSink({ queues, queue: QUEUES[direction] });
      await inTransaction(pool, { timeoutMs: TRANSACTION_TIMEOUT_MS }, (client) =>
        sink.insert(client, items),
      );
    },
  };
}

/** A change that stands as a dead letter already gets no second one at every catch-up. */
async function knownLetters(pool: Pool, direction: StoreName): Promise<ReadonlySet<string>> {
  const letters = await listDeadLetters(pool, direction, { limit: KNOWN_MAX });
  return new Set(
    letters.flatMap(({ item }) => (item?.kind === 'change' ? [nameOf(item.change)] : [])),
  );
}

const nameOf = ({ collection, id, epoch, version }: Change): string =>
  `${collection} ${id} ${epoch} ${version}`;
