import type { Collection } from '@tandem/storage/collections';
import {
  type ConsistencyKeeper,
  type KeeperOptions,
  keepConsistency,
  queuedByRelay,
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
  readRelayedSeq,
  verifyRuns,
} from '@tandem/storage/postgres';
import {
  createExplanations,
  dropDecidedLetters,
  type QueueClient,
} from '@tandem/storage/replication';

export interface JsonConsistencyOptions {
  readonly json: JsonStore;
  readonly postgres: PostgresStore;
  readonly queues: QueueClient;
  readonly collections: readonly Collection[];
  readonly verifySchedule: VerifySchedule;
  readonly backfill: KeeperOptions['backfill'];
  readonly log: Log;
}

/** Verifies and repairs while JSON is the primary and PostgreSQL follows. */
export function keepJsonConsistent(options: JsonConsistencyOptions): ConsistencyKeeper {
  const { json, postgres, queues, collections, verifySchedule, backfill, log } = options;
  const { pool } = queues;
  const head = async () => json.outbox.head();
  return keepConsistency({
    ...{ primary: json, secondary: postgres, collections, backfill, log },
    explanations: createExplanations(pool, 'postgres'),
    mark: queuedByRelay(head, () => readRelayedSeq(pool, json.phase.read().pairId)),
    ...{ runs: verifyRuns(pool), ledger: divergenceLedger(pool), orders: consistencyOrders(pool) },
    marks: unitedMarks([dirtyRanges(pool, collections), json.dirty]),
    dropDecided: (collection, ids) => dropDecidedLetters(pool, 'postgres', collection, ids),
    writes: () => json.outbox.head(),
    watermark: () => ({ epoch: json.phase.read().epoch, outboxSeq: json.outbox.head() }),
    epochNow: async () => json.phase.read().epoch,
    async notNow() {
      const { catchUpSince } = json.phase.read();
      if (catchUpSince === null) return undefined;
      return `PostgreSQL is being brought up to date by difference (since ${catchUpSince}).`;
    },
    ...{ schedule: verifySchedule, holder: `api ${process.pid}` },
  });
}
