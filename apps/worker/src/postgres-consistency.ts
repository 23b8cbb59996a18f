import type { Collection } from '@tandem/storage/collections';
import {
  alwaysQueued,
  type ConsistencyKeeper,
  type KeeperOptions,
  keepConsistency,
  unitedMarks,
  type VerifySchedule,
} from '@tandem/storage/consistency';
import type { JsonStore } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import {
  consistencyOrders,
  dirtyRanges,
  divergenceLedger,
  type PostgresStore,
  verifyRuns,
} from '@tandem/storage/postgres';
import {
  createExplanations,
  dropDecidedLetters,
  type QueueClient,
} from '@tandem/storage/replication';

export interface PostgresConsistencyOptions {
  readonly json: JsonStore;
  readonly postgres: PostgresStore;
  readonly queues: QueueClient;
  readonly collections: readonly Collection[];
  readonly verifySchedule: VerifySchedule;
  readonly backfill: KeeperOptions['backfill'];
  readonly log: Log;
}

/** Verifies and repairs while PostgreSQL is the primary and JSON follows. */
export function keepPostgresConsistent(options: PostgresConsistencyOptions): ConsistencyKeeper {
  const { json, postgres, queues, collections, verifySchedule, backfill, log } = options;
  const { pool } = queues;
  return keepConsistency({
    ...{ primary: postgres, secondary: json, collections, backfill, log },
    explanations: createExplanations(pool, 'json'),
    mark: alwaysQueued,
    ...{ runs: verifyRuns(pool), ledger: divergenceLedger(pool), orders: consistencyOrders(pool) },
    marks: unitedMarks([dirtyRanges(pool, collections), json.dirty]),
    dropDecided: (collection, ids) => dropDecidedLetters(pool, 'json', collection, ids),
    watermark: () => ({ epoch: json.phase.read().epoch, outboxSeq: json.outbox.head() }),
    epochNow: async () => (await postgres.phase.read()).epoch,
    async notNow() {
      const { catchUpSince } = await postgres.phase.read();
      if (catchUpSince === null) return undefined;
      return `JSON is being brought up to date by difference (since ${catchUpSince}).`;
    },
    ...{ schedule: verifySchedule, holder: `worker ${process.pid}` },
  });
}
