import type { Collection } from '@tandem/storage/collections';
import type { Configuration } from '@tandem/storage/configuration';
import { inspectJsonStore, jsonRecords } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import { operatorToken } from '@tandem/storage/operator-token';
import {
  auditLog,
  createPool,
  migrationOperations,
  postgresRecords,
  storageError,
} from '@tandem/storage/postgres';
import { deadLetterOperations, readBacklog, recordJobs } from '@tandem/storage/replication';
import { type RecordName, xrayRecord } from '@tandem/storage/xray';
import type { Pool } from 'pg';
import type { DeadLetterRoutesOptions } from './routes/dead-letters.ts';
import type { MigrationOptions } from './routes/migration.ts';

/** Operators are few, and must be heard also while requests hold every connection of the store. */
const CONNECTIONS_MAX = 2;

/** What operators are given, and the connections it goes over. */
export interface Operators extends MigrationOptions {
  readonly deadLetters: DeadLetterRoutesOptions;
  readonly pool: Pool;
  close(): Promise<void>;
}

/**
 * What the operators' routes need, over connections of their own.
 * @throws {TandemError} `configuration`
 */
export async function openOperators(
  configuration: Configuration,
  collections: readonly Collection[],
  log: Log,
): Promise<Operators> {
  const { databaseUrl = '', lockedFlags, jsonDir } = configuration;
  const token = await operatorToken(configuration, log);
  const applicationName = 'tandem-api-operators';
  const pool = createPool(databaseUrl, { applicationName, max: CONNECTIONS_MAX, log });
  const operations = migrationOperations({
    ...{ pool, lockedFlags },
    json: () => inspectJsonStore(jsonDir),
    backlog: () => readBacklog(pool),
  });
  const ports = {
    ...{ collections, json: jsonRecords(jsonDir) },
    database: { records: postgresRecords(pool, collections), jobs: recordJobs(pool) },
  };
  const deadLetters = {
    operations: deadLetterOperations({ pool, audit: auditLog, operatingError: storageError }),
    xray: (record: RecordName) => xrayRecord(record, ports),
    token,
  };
  return { operations, deadLetters, token, pool, close: () => pool.end() };
}
