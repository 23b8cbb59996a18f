import type { Pool } from 'pg';
import { isTandemError, TandemError } from '../errors.ts';
import type { RelayedJournal } from '../phase/index.ts';
import type { Outbox } from './outbox.ts';
import type { RelayCursor } from './relay-cursor.ts';
import { inTransaction } from './transaction.ts';

const CURSOR_TIMEOUT_MS = 10_000;

export interface RelayedJournalOptions {
  readonly outbox: Outbox;
  readonly pool: Pool;
  readonly cursor: RelayCursor;
  /** Names the outbox: the JSON store's pair id, as it is now. */
  readonly pairId: () => string;
}

/** The journal of a JSON store, seen from the cursor that PostgreSQL keeps of it. */
export function createRelayedJournal(options: RelayedJournalOptions): RelayedJournal {
  const { outbox, pool, cursor, pairId } = options;
  const locked = <T>(work: (at: number, move: (seq: number) => Promise<void>) => Promise<T>) =>
    inTransaction(pool, { timeoutMs: CURSOR_TIMEOUT_MS }, async (client) =>
      work(await cursor.lock(client, pairId()), (seq) =>
        cursor.advance(client, pairId(), seq, outbox.position()),
      ),
    );

  return {
    head: () => outbox.head(),

    reachesBackToCursor: () =>
      locked(async (at) => {
        checkCursor(at, outbox.head());
        try {
          await outbox.read(at, 1);
          return true;
        } catch (error) {
          if (isTandemError(error, 'refused-to-open')) return false;
          throw error;
        }
      }),

    async skipTo(seq) {
      await locked(async (at, move) => {
        if (seq > at) await move(seq);
      });
      outbox.relayed(seq);
    },

    async beginAtHead() {
      const head = outbox.head();
      await locked((_at, move) => move(head));
      outbox.relayed(head);
    },
  };
}

/**
 * Without this check the items up to the cursor would silently never be queued (I12).
 * @throws {TandemError} `mismatched-stores`
 */
export function checkCursor(cursor: number, head: number): void {
  if (cursor <= head) return;
  throw new TandemError(
    'mismatched-stores',
    `The queue has this journal's changes up to ${cursor}, but the journal ends at ${head}: the JSON store was restored from an older copy.`,
    { detail: { cursor, head } },
  );
}
