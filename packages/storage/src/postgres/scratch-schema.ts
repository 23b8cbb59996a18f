import { randomUUID } from 'node:crypto';
import type { Pool } from 'pg';
import { storageError } from './failure.ts';
import { readMigrations } from './migrate.ts';
import { createPool } from './pool.ts';
import { quoted } from './record-table.ts';
import { rows } from './transaction.ts';

const CONNECTIONS_MAX = 4;

/** Tables of an installation in a schema of their own, beside the real ones. */
export interface ScratchSchema {
  readonly name: string;
  /** Sees the scratch tables and nothing else. */
  readonly pool: Pool;
  /** Ends the pool and drops the schema with everything in it. */
  drop(): Promise<void>;
}

/**
 * Makes one by the migrations themselves. The role needs CREATE on the database.
 * @throws {TandemError} `unavailable`, `storage-failed`
 */
export async function createScratchSchema(url: string): Promise<ScratchSchema> {
  const name = `tandem_scratch_${randomUUID().slice(0, 8)}`;
  const admin = createPool(url, { applicationName: 'tandem scratch', max: 1 });
  const scratchUrl = new URL(url);
  scratchUrl.searchParams.set('options', `-c search_path=${name}`);
  const options = { applicationName: 'tandem scratch', max: CONNECTIONS_MAX };
  const pool = createPool(scratchUrl.href, options);
  const drop = async () => {
    await pool.end();
    await rows(admin, `DROP SCHEMA IF EXISTS ${quoted(name)} CASCADE`).finally(() => admin.end());
  };
  try {
    await rows(admin, `CREATE SCHEMA ${quoted(name)}`);
    for (const { sql } of readMigrations()) {
      // drizzle-kit names the schema of a foreign key's table.
      for (const statement of sql) await rows(pool, statement.replaceAll('"public".', ''));
    }
    return { name, pool, drop };
  } catch (error) {
    await drop();
    throw storageError(error);
  }
}
