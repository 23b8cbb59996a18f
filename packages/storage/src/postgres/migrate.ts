import { join } from 'node:path';
import { type MigrationMeta, readMigrationFiles } from 'drizzle-orm/migrator';
import type { Pool, PoolClient } from 'pg';
import { storageError } from './failure.ts';
import { boundsStatement, exclusive, MIGRATION_LOCK } from './locks.ts';
import { createPool } from './pool.ts';
import { rows, transaction } from './transaction.ts';

/** SQL written by drizzle-kit. */
const FOLDER = join(import.meta.dirname, '../../../../migrations');

/** Migrating may wait for another migration, or build an index on a large table. */
const MIGRATION_TIMEOUT_MS = 10 * 60_000;

/** drizzle's own ledger, kept as its migrator keeps it. `created_at` names a migration: its `when`. */
const LEDGER = 'drizzle.__drizzle_migrations';
const LEDGER_STATEMENTS = [
  'CREATE SCHEMA IF NOT EXISTS drizzle',
  `CREATE TABLE IF NOT EXISTS ${LEDGER} (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at bigint)`,
];

export interface MigrateOptions {
  /** Switch the main job on when `feature_flags` is made by this call. */
  readonly enableDualWriteOnFirstRun?: boolean;
}

export interface Migrated {
  /** Whether this call made `feature_flags`. */
  readonly createdFlags: boolean;
  /** How many migrations this call applied. */
  readonly applied: number;
}

/** The migrations there are, oldest first. */
export const readMigrations = (): readonly MigrationMeta[] =>
  readMigrationFiles({ migrationsFolder: FOLDER });

/**
 * Brings the schema up to date. Any number may run at once; one does the work, the others wait and
 * find it done.
 *
 * Other than drizzle's `migrate()` this is one transaction, lock and ledger and first flag included:
 * it is whole or not at all, needs no session-level lock, and applies a migration that was merged
 * with an older date than the last one.
 * @throws {TandemError} `unavailable`, `storage-failed`
 */
export async function migrateSchema(
  database: Pool | string,
  options: MigrateOptions = {},
): Promise<Migrated> {
  const own = typeof database === 'string';
  const pool = own ? createPool(database, { applicationName: 'tandem migrate', max: 1 }) : database;
  const bounds = { lockMs: MIGRATION_TIMEOUT_MS, transactionMs: MIGRATION_TIMEOUT_MS };
  const begin = [boundsStatement(bounds), exclusive(MIGRATION_LOCK)];
  try {
    return await transaction(pool, begin, (client) => applyMissing(client, options));
  } catch (error) {
    throw storageError(error);
  } finally {
    if (own) await pool.end();
  }
}

async function applyMissing(client: PoolClient, options: MigrateOptions): Promise<Migrated> {
  for (const statement of LEDGER_STATEMENTS) await send(client, statement);
  const hadFlags = await hasFlags(client);
  const known = await appliedMigrations(client);
  let applied = 0;
  for (const { sql, folderMillis, hash } of readMigrations()) {
    if (known.has(folderMillis)) continue;
    for (const statement of sql) await send(client, statement);
    await rows(client, `INSERT INTO ${LEDGER} (hash, created_at) VALUES ($1, $2)`, [
      hash,
      folderMillis,
    ]);
    applied += 1;
  }
  const createdFlags = !hadFlags && (await hasFlags(client));
  if (createdFlags && options.enableDualWriteOnFirstRun === true) {
    await rows(
      client,
      `INSERT INTO feature_flags (name, enabled, description)
       VALUES ('DUAL_WRITE_ENABLED', true, 'Every write goes to both stores (set at the first start).')`,
    );
  }
  return { createdFlags, applied };
}

/** Without the pool's deadline for a statement: a migration may take long. */
async function send(client: PoolClient, text: string): Promise<void> {
  await client.query({ text, query_timeout: MIGRATION_TIMEOUT_MS } as { text: string });
}

async function hasFlags(client: PoolClient): Promise<boolean> {
  const [row] = await rows(client, `SELECT to_regclass('feature_flags') IS NOT NULL`);
  return row?.[0] === true;
}

async function appliedMigrations(client: Pick<PoolClient, 'query'>): Promise<Set<unknown>> {
  const found = await rows(client, `SELECT created_at FROM ${LEDGER}`);
  return new Set(found.map(([when]) => when));
}

/**
 * Whether the database has every migration this code knows. Serving processes ask; they never migrate.
 * @throws {TandemError} `unavailable` when the server can't be asked
 */
export async function schemaIsCurrent(pool: Pool): Promise<boolean> {
  try {
    const [ledger] = await rows(pool, `SELECT to_regclass('${LEDGER}') IS NOT NULL`);
    if (ledger?.[0] !== true) return false;
    const known = await appliedMigrations(pool);
    return readMigrations().every(({ folderMillis }) => known.has(folderMillis));
  } catch (error) {
    throw storageError(error);
  }
}
