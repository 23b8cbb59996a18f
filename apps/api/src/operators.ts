import type { Configuration } from '@tandem/storage/configuration';
import { inspectJsonStore } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import { operatorToken } from '@tandem/storage/operator-token';
import { createPool, migrationOperations } from '@tandem/storage/postgres';
import { readBacklog } from '@tandem/storage/replication';
import type { Pool } from 'pg';
import type { MigrationOptions } from './routes/migration.ts';

/** Operators are few, and must be heard also while requests hold every connection of the store. */
const CONNECTIONS_MAX = 2;

/**
 * What the operators' routes need, over connections of their own.
 * @throws {TandemError} `configuration`
 */
export async function openOperators(
  configuration: Configuration,
  log: Log,
): Promise<MigrationOptions & { readonly pool: Pool; close(): Promise<void> }> {
  const { databaseUrl = '', lockedFlags, jsonDir } = configuration;
  const token = await operatorToken(configuration, log);
  const applicationName = 'tandem-api-operators';
  const pool = createPool(databaseUrl, { applicationName, max: CONNECTIONS_MAX, log });
  const operations = migrationOperations({
    ...{ pool, lockedFlags },
    json: () => inspectJsonStore(jsonDir),
    backlog: () => readBacklog(pool),
  });
  return { operations, token, pool, close: () => pool.end() };
}
