import type { Item } from '../changes/index.ts';
import { type Collection, loadCollections } from '../collections/index.ts';
import type { Phase } from '../phase/index.ts';
import {
  createPool,
  openPostgresStore,
  type PostgresStore,
  type PostgresStoreOptions,
} from '../postgres/index.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';

/** A PostgreSQL store over a database of its own, in a phase of the test's choosing. */
export interface OpenedPostgres {
  readonly database: TestDatabase;
  readonly collections: readonly Collection[];
  readonly store: PostgresStore;
  /** What was handed to the queue, in order; also what a failed transaction handed over. */
  readonly jobs: readonly Item[];
  /** Another store over the same database, as of another process. */
  another(options?: Partial<PostgresStoreOptions> & { url?: string }): PostgresStore;
  close(): Promise<void>;
}

export const MOVE = { actor: 'test', reason: 'The test says so.', evidence: {} } as const;

/** Opens one at epoch 1. */
export async function openTestStore(
  phase: Phase,
  extraCollections: readonly Collection[] = [],
): Promise<OpenedPostgres> {
  const database = await createTestDatabase();
  const collections = [...(await loadCollections()), ...extraCollections];
  const jobs: Item[] = [];
  const sink = {
    async insert(_client: unknown, items: readonly Item[]) {
      jobs.push(...items);
    },
  };
  const closings: (() => Promise<void>)[] = [];
  const another: OpenedPostgres['another'] = ({ url = database.url, ...options } = {}) => {
    const pool = createPool(url, { applicationName: 'another' });
    const store = openPostgresStore({ pool, collections, jobs: sink, ...options });
    closings.push(async () => {
      await store.close();
      await pool.end();
    });
    return store;
  };
  const store = openPostgresStore({ pool: database.pool, collections, jobs: sink });
  await store.phase.advance(0, { phase, epoch: 1 }, MOVE);
  return {
    ...{ database, collections, store, jobs, another },
    async close() {
      for (const close of [...closings, () => store.close()]) await close();
      await database.drop();
    },
  };
}
