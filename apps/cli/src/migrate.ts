import type { Log } from '@tandem/storage/log';
import { createPool, migrateSchema } from '@tandem/storage/postgres';
import { migrateQueues } from '@tandem/storage/replication';

export interface MigrateResult {
  /** Schema migrations that this call applied. */
  readonly applied: number;
  /** Whether this call made `feature_flags`. */
  readonly createdFlags: boolean;
}

/**
 * Brings a database to the current schema: the records' tables, then the queue's. Any number may run
 * at once.
 * @throws {TandemError} `unavailable`, `storage-failed`
 */
export async function migrate(
  url: string,
  options: { readonly enableDualWriteOnFirstRun: boolean; readonly log: Log },
): Promise<MigrateResult> {
  const pool = createPool(url, { applicationName: 'tandem migrate', max: 2, log: options.log });
  try {
    const migrated = await migrateSchema(pool, options);
    await migrateQueues(pool, options.log);
    return migrated;
  } finally {
    await pool.end();
  }
}
