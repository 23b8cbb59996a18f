import type { Pool } from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { loadCollections } from '../collections/index.ts';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { MOVE } from '../testing/postgres-fixture.ts';
import { storeModelSuite } from '../testing/store-commands.ts';
import { MODEL_EPOCH } from '../testing/store-model.ts';
import type { StoreSubject } from '../testing/store-subject.ts';
import { createPool, openPostgresStore } from './index.ts';

const RUNS = 25;

const collections = await loadCollections();
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function openSubject(startMs: number): Promise<StoreSubject> {
  const { pool: admin, url } = database;
  await admin.query(
    `TRUNCATE expenses, incomes, tombstones, idempotency_keys RESTART IDENTITY;
     UPDATE phase_state SET epoch = 0, phase = 'json-only', pair_id = NULL`,
  );
  let nowMs = startMs;
  const pools: Pool[] = [];
  const open = () => {
    const pool = createPool(url, { applicationName: 'model', max: 4 });
    pools.push(pool);
    const jobs = { insert: async () => {} };
    return openPostgresStore({ pool, collections, jobs, now: () => new Date(nowMs) });
  };
  let store = open();
  await store.phase.advance(0, { phase: 'postgres-only', epoch: MODEL_EPOCH }, MOVE);
  return {
    get store() {
      return store;
    },
    setClock(next) {
      nowMs = next;
    },
    // Its connections end without a word; another process comes.
    async crash() {
      await admin.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE application_name = 'model' AND datname = current_database()`,
      );
      store = open();
    },
    async reopen() {
      await store.close();
      await pools.pop()?.end();
      store = open();
    },
    async close() {
      await store.close();
      for (const pool of pools) await pool.end();
    },
  };
}

storeModelSuite('the PostgreSQL store', RUNS, openSubject);
