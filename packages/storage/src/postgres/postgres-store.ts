import type { Pool } from 'pg';
import type { EditAdopter, Item, Outcome, Write } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import { sentenceOf } from '../errors.ts';
import { type Log, silentLog } from '../log.ts';
import { noObserver, type Observer } from '../observer.ts';
import type { PostgresPhase, ReadFence, WrittenSince } from '../phase/index.ts';
import type { JobSink } from '../replication/job-sink.ts';
import type { Store } from '../store.ts';
import { postgresAdopter } from './adopt-differences.ts';
import { applyBatch } from './apply-batch.ts';
import { thinOutDirtyRanges } from './dirty-ranges.ts';
import { translated } from './failure.ts';
import { GroupCommit } from './group-commit.ts';
import { raiseHighWater, readHighWater } from './id-sequence.ts';
import { keysSince, readKeys, removeExpiredKeys, scanKeys } from './idempotency-keys.ts';
import { Limiter } from './limiter.ts';
import { postgresPhase } from './phase-row.ts';
import { readDigests } from './range-digests.ts';
import { countEntries, entriesOf, getRecord, listTexts, readPage, scanEntries } from './reads.ts';
import { recordTable } from './record-table.ts';
import type { ReadContext, StoreContext } from './store-context.ts';
import { writeBatch } from './write-batch.ts';
import { writtenSince } from './written-since.ts';

/** Transactions of writes under way at once: while one waits for its commit the next is planned. */
const WRITE_CONCURRENCY = 2;
const WRITE_BATCH_ITEMS_MAX = 500;
const WRITE_BATCH_BYTES_MAX = 4 * 1024 * 1024;
const WRITES_WAITING_MAX = 10_000;
/** What a write brings besides the text of its values. */
const WRITE_BASE_BYTES = 200;
/** Share of the pool's connections that long lists may hold. */
const CURSOR_SHARE = 0.5;
/** What nobody needs any more is removed at most this often, beside what comes in. */
const UPKEEP_INTERVAL_MS = 60_000;

export interface PostgresStoreOptions {
  /** Stays the caller's: `close` does not end it. The server need not be up. */
  readonly pool: Pool;
  readonly collections: readonly Collection[];
  /** Where changes go in `postgres-primary`, in the transaction that makes them. */
  readonly jobs: JobSink;
  readonly log?: Log;
  readonly observer?: Observer;
  readonly now?: () => Date;
}

export interface PostgresStore extends Store, EditAdopter {
  readonly name: 'postgres';
  readonly phase: PostgresPhase;
  readonly written: WrittenSince;
  /** The same store, whose `get`, `page` and `list` are answered only from snapshots that the fence lets pass. */
  fencedBy(fence: ReadFence): PostgresStore;
}

/** Opens the store over a migrated database. Nothing is asked of the server before it is used. */
export function openPostgresStore(options: PostgresStoreOptions): PostgresStore {
  const { pool, collections, jobs, log = silentLog, now = () => new Date() } = options;
  const tables = new Map(collections.map((c) => [c.name, recordTable(c)] as const));
  const { observer = noObserver } = options;
  const context: StoreContext = { pool, tables, jobs, log, observer, now };
  const cursors = new Limiter(Math.max(1, Math.floor((pool.options.max ?? 1) * CURSOR_SHARE)));
  const upkeep = upkeepOf(context);
  const writes = new GroupCommit<Write, Outcome>({
    run: (batch) => {
      upkeep.look();
      return writeBatch(context, batch);
    },
    bytesOf,
    concurrency: WRITE_CONCURRENCY,
    batchItemsMax: WRITE_BATCH_ITEMS_MAX,
    batchBytesMax: WRITE_BATCH_BYTES_MAX,
    waitingMax: WRITES_WAITING_MAX,
  });
  const readsOf = (reading: ReadContext): Pick<PostgresStore, 'get' | 'page' | 'list'> => ({
    get: (collection, id) => getRecord(reading, collection, id),
    page: (collection, page) => readPage(reading, collection, page),
    list: (collection) => listTexts(reading, collection, cursors),
  });
  const store: PostgresStore = {
    name: 'postgres',
    phase: postgresPhase(pool, now),
    written: writtenSince(context, collections),
    ...readsOf(context),
    fencedBy: (fence) => ({ ...store, ...readsOf({ ...context, fence }) }),
    scan: (collection, afterId, limit) => scanEntries(context, collection, afterId, limit),
    digests: (collection, from, to) => readDigests(context, collection, from, to),
    count: (collection) => countEntries(context, collection),
    entries: (collection, ids) => entriesOf(context, collection, ids),
    write: async (write) => writes.submit(write),
    async apply(items: readonly Item[]) {
      upkeep.look();
      return applyBatch(context, items);
    },
    scanKeys: (afterKey, limit) => translated(scanKeys(pool, afterKey, limit, now())),
    keys: (keys) => translated(readKeys(pool, keys, now())),
    keysSince: (since) => keysSince(pool, since, now()),
    idHighWater: () => translated(readHighWater(pool, [...tables.values()])),
    raiseIdHighWater: (marks) => translated(raiseHighWater(pool, tables, marks)),
    ...postgresAdopter(context),
    async close() {
      await writes.close();
      await upkeep.settled();
    },
  };
  return store;
}

function bytesOf({ command, key }: Write): number {
  const values =
    command.op === 'create' ? command.values : command.op === 'update' ? command.set : {};
  let bytes = WRITE_BASE_BYTES + (key === undefined ? 0 : key.key.length);
  for (const value of Object.values(values)) bytes += value?.length ?? 0;
  return command.op === 'bulk-delete' ? bytes + command.ids.length * WRITE_BASE_BYTES : bytes;
}

/** Removes what outlives its use, beside the writes that bring more of it: expired keys, and marks that
 *  nobody takes where nothing verifies. A failure waits for the next time. */
function upkeepOf({ pool, log, now }: StoreContext): { look(): void; settled(): Promise<void> } {
  let next = now().getTime() + UPKEEP_INTERVAL_MS;
  let running: Promise<void> = Promise.resolve();
  const run = async (): Promise<void> => {
    try {
      await removeExpiredKeys(pool, now());
      await thinOutDirtyRanges(pool);
    } catch (error) {
      log.debug({ reason: sentenceOf(error) }, 'What nobody needs any more was not removed.');
    }
  };
  return {
    look() {
      if (now().getTime() < next) return;
      next = now().getTime() + UPKEEP_INTERVAL_MS;
      running = run();
    },
    settled: () => running,
  };
}
