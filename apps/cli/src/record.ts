import { type Collection, loadCollections } from '@tandem/storage/collections';
import type { Configuration } from '@tandem/storage/configuration';
import { sentenceOf } from '@tandem/storage/errors';
import { jsonRecords } from '@tandem/storage/json';
import { createPool, postgresRecords, schemaIsCurrent } from '@tandem/storage/postgres';
import { recordJobs } from '@tandem/storage/replication';
import type { XrayPorts } from '@tandem/storage/xray';
import type { Pool } from 'pg';
import { databaseOf } from './database-url.ts';

const CONNECTIONS_MAX = 2;

/**
 * Runs `look` over the places where a record may stand, whatever runs and whatever can be reached.
 * @throws whatever `look` throws
 */
export async function withXray<T>(
  configuration: Configuration,
  look: (ports: XrayPorts) => Promise<T>,
): Promise<T> {
  const collections = await loadCollections();
  const json = jsonRecords(configuration.jsonDir);
  const database = databaseOf(configuration);
  if (database === undefined) {
    return look({ collections, json, database: 'There is no database yet.' });
  }
  const pool = createPool(database.url, {
    ...{ applicationName: 'tandem record', max: CONNECTIONS_MAX },
  });
  try {
    const problem = await problemOf(pool, database.name, database.remedy);
    return await look({ collections, json, database: problem ?? recordsOf(pool, collections) });
  } finally {
    await pool.end();
  }
}

const recordsOf = (pool: Pool, collections: readonly Collection[]) => ({
  records: postgresRecords(pool, collections),
  jobs: recordJobs(pool),
});

async function problemOf(pool: Pool, name: string, remedy: string): Promise<string | undefined> {
  try {
    if (await schemaIsCurrent(pool)) return undefined;
    return `${name} does not have the current schema; "tandem migrate" brings it.`;
  } catch (error) {
    return `${name} can't be asked: ${sentenceOf(error)} ${remedy}`;
  }
}
