// Two real stores and the queue as one installation, without processes: a test takes their parts.
import { cp, rm } from 'node:fs/promises';
import { loadCollections } from '@tandem/storage/collections';
import { bringUpToDate } from '@tandem/storage/consistency';
import { type JsonStore, openJsonStore } from '@tandem/storage/json';
import { silentLog } from '@tandem/storage/log';
import { meetPostgres, mend, type Phase, walkTo } from '@tandem/storage/phase';
import { createPool, openPostgresStore, relayCursor, storageError } from '@tandem/storage/postgres';
import {
  createJobSink,
  createQueueClient,
  createQueueUpkeep,
  createRelayedJournal,
  QUEUES,
  startDirection,
  startRelay,
} from '@tandem/storage/replication';

const DRAIN = { drainTimeoutMs: 60_000 };

const collections = await loadCollections();

/** A database with schema and queues, and what works on it. */
export function openDatabase(url: string) {
  const pool = createPool(url, { applicationName: 'pair of stores' });
  const queues = createQueueClient({ pool, role: 'work', log: silentLog });
  const jobs = createJobSink({ queues, queue: QUEUES.json });
  const postgres = openPostgresStore({ pool, collections, jobs });
  return {
    ...{ url, pool, queues, postgres },
    async close() {
      await postgres.close();
      await queues.stop();
      await pool.end();
    },
  };
}

export type Database = ReturnType<typeof openDatabase>;

function contextOf(json: JsonStore, { pool, queues, postgres }: Database) {
  const pairId = () => json.phase.read().pairId;
  const journal = createRelayedJournal({ outbox: json.outbox, pool, cursor: relayCursor, pairId });
  const shared = { collections, log: silentLog };
  const stores = { json, postgres };
  const context = {
    ...{ ...shared, json, postgres, actor: 'test', reason: 'test', now: () => new Date() },
    queues: createQueueUpkeep({
      ...{ queues, stores, journal, ...shared },
      operatingError: storageError,
    }),
  };
  return { context, journal, pairId };
}

/** Opens the JSON store of a folder for as long as `work` takes. */
export async function withJson<T>(
  directory: string,
  work: (json: JsonStore) => Promise<T>,
): Promise<T> {
  const json = await openJsonStore({ directory, collections });
  try {
    return await work(json);
  } finally {
    await json.close();
  }
}

/** What the start of a process does before it serves; without a database, as if it were away. */
export async function start(json: JsonStore, database: Database | undefined, desired: Phase) {
  if (database === undefined) {
    const alone = { json, collections, log: silentLog, actor: 'test', reason: 'test' };
    const queues = {
      dropCovered: never,
      beginRelay: never,
      waiting: never,
      enqueueRejected: never,
    };
    const away = { postgres: null, unreachable: 'It is away.', jsonIsBlank: json.isBlank };
    return walkTo(desired, { ...alone, ...away, queues, now: () => new Date() });
  }
  const { context } = contextOf(json, database);
  return walkTo(desired, { ...context, jsonIsBlank: json.isBlank });
}

const never = (): Promise<never> => Promise.reject(new Error('Nothing is asked of the queue.'));

/** Brings what a JSON primary has to PostgreSQL, as its relay and a worker do. */
export async function replicateToPostgres(json: JsonStore, database: Database): Promise<void> {
  const { context, journal, pairId } = contextOf(json, database);
  const { pool, queues, postgres } = database;
  const relay = startRelay({
    ...{ outbox: json.outbox, pool, cursor: relayCursor, pairId: pairId(), log: silentLog },
    jobs: createJobSink({ queues, queue: QUEUES.postgres }),
    beforeRelay: () => meetPostgres(context, journal),
  });
  const { lastError } = await relay.stop(DRAIN);
  if (lastError !== undefined) throw new Error(lastError);
  const worker = { store: postgres, queues, collections, log: silentLog };
  await startDirection({ direction: 'postgres', ...worker }).stop(DRAIN);
}

/** Follows a PostgreSQL primary with JSON, as a worker does: prepares, then applies what waits. */
export async function replicateToJson(json: JsonStore, database: Database): Promise<void> {
  const { context } = contextOf(json, database);
  const { queues, postgres } = database;
  await mend(context, json.isBlank);
  const { epoch, catchUpSince } = await postgres.phase.read();
  if (catchUpSince !== null) {
    await bringUpToDate({ source: postgres, target: json, collections });
    const move = { actor: 'test', reason: 'caught up', evidence: {} };
    await postgres.phase.advance(epoch, { catchUpSince: null }, move);
  }
  const worker = { store: json, queues, collections, log: silentLog };
  await startDirection({ direction: 'json', exclusive: true, ...worker }).stop(DRAIN);
  await mend(context, false);
}

/** Puts a copy of a folder in the place of another. */
export async function replaceFolder(folder: string, by: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await cp(by, folder, { recursive: true });
}
