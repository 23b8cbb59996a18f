import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@tandem/embedded-postgres';
import { type Collection, loadCollections } from '@tandem/storage/collections';
import { bringUpToDate } from '@tandem/storage/consistency';
import { openJsonStore } from '@tandem/storage/json';
import { createPool, migrateSchema, openPostgresStore } from '@tandem/storage/postgres';
import type { Store } from '@tandem/storage/store';
import type { Pool } from 'pg';
import type { Profile } from '../profile.ts';
import { writeLegacyExpenses } from '../records.ts';
import { type Result, result, spellAll } from '../result.ts';
import { inTurns, ratiosOf } from '../turns.ts';

/** One record in ten is missing where "most of them" are held. */
const MISSING_ONE_IN = 10;

/** What a run of the bench works with. */
interface Stores {
  readonly pool: Pool;
  readonly json: Store;
  readonly postgres: Store;
  readonly collections: readonly Collection[];
  readonly records: number;
}

/** Bringing PostgreSQL up from JSON, and JSON from PostgreSQL, against COPY of the same rows. */
export async function backfill(profile: Profile, folder: string): Promise<Result[]> {
  const server = await startEmbeddedPostgres({ folder: join(folder, 'backfill', 'postgres') });
  const pool = createPool(server.url, { applicationName: 'bench' });
  try {
    await migrateSchema(pool);
    const collections = await loadCollections();
    const directory = join(folder, 'backfill', 'json');
    await mkdir(directory);
    await writeLegacyExpenses(join(directory, 'expenses.json'), profile.records);
    const json = await openJsonStore({ directory, collections });
    const jobs = { insert: async () => {} };
    const postgres = openPostgresStore({ pool, collections, jobs });
    const { records } = profile;
    const stores = { pool, json, postgres, collections, records };
    try {
      return await measure(stores, profile.longTurns, join(folder, 'backfill'));
    } finally {
      await postgres.close();
      await json.close({ checkpoint: false });
    }
  } finally {
    await pool.end();
    await server.stop();
  }
}

async function measure(stores: Stores, turns: number, folder: string): Promise<Result[]> {
  const { json, postgres, pool, collections, records } = stores;
  // Also what COPY is given: a file of the same rows, read by the server itself.
  await rate(stores, json, postgres, records);
  const rows = join(tmpdir(), `tandem-bench-${process.pid}.copy`);
  await pool.query('CREATE TABLE copied (LIKE expenses INCLUDING ALL)');
  await query(pool, `COPY expenses TO '${rows}'`);
  let made = 0;
  const measured = await inTurns(turns, {
    copy: async () => {
      await pool.query('TRUNCATE copied');
      const start = performance.now();
      await query(pool, `COPY copied FROM '${rows}'`);
      return perSecond(records, start);
    },
    empty: async () => {
      await pool.query('TRUNCATE expenses');
      return rate(stores, json, postgres, records);
    },
    most: async () => {
      await query(pool, `DELETE FROM expenses WHERE id % ${MISSING_ONE_IN} = 0`);
      await query(pool, 'VACUUM ANALYZE expenses');
      return rate(stores, json, postgres, Math.floor(records / MISSING_ONE_IN));
    },
    none: () => rate(stores, json, postgres, 0),
    back: async () => {
      made += 1;
      const directory = join(folder, `json-${made}`);
      const target = await openJsonStore({ directory, collections });
      try {
        return await rate(stores, postgres, target, records);
      } finally {
        await target.close({ checkpoint: false });
        await rm(directory, { recursive: true });
      }
    },
  });
  await rm(rows, { force: true });
  const of = records.toLocaleString('en');
  const unit = ' records/s';
  const copy = `COPY ${spellAll(measured.copy, unit)}`;
  return [
    result(
      `${of} records JSON → PostgreSQL, empty, over COPY of the same rows`,
      { relation: '≥', value: 0.4 },
      ratiosOf(measured.empty, measured.copy),
      `${spellAll(measured.empty, unit)}; ${copy}`,
    ),
    result(
      'the same into one that holds nine in ten of them',
      { relation: '≥', value: 0.2 },
      ratiosOf(measured.most, measured.copy),
      `${spellAll(measured.most, unit)}; all held already ${spellAll(measured.none, unit)}`,
    ),
    result(
      `${of} records PostgreSQL → JSON, empty, over COPY`,
      { relation: '≥', value: 0.4 },
      ratiosOf(measured.back, measured.copy),
      spellAll(measured.back, unit),
    ),
  ];
}

const perSecond = (records: number, startMs: number): number =>
  (records / (performance.now() - startMs)) * 1_000;

/** Records a second, of all that are compared. */
async function rate(
  { collections, records }: Stores,
  source: Store,
  target: Store,
  missing: number,
): Promise<number> {
  const start = performance.now();
  const { applied, remaining } = await bringUpToDate({ source, target, collections });
  if (applied !== missing || remaining > 0) {
    throw new Error(`${applied} of ${missing} records were brought over, ${remaining} differ.`);
  }
  return perSecond(records, start);
}

/** A statement that may take longer than a service's may. */
async function query(pool: Pool, text: string): Promise<void> {
  const config = { text, query_timeout: 10 * 60_000 };
  await pool.query(config);
}
