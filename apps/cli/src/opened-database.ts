import type { Configuration } from '@tandem/storage/configuration';
import { TandemError } from '@tandem/storage/errors';
import { createPool, schemaIsCurrent } from '@tandem/storage/postgres';
import type { Pool } from 'pg';
import { requireDatabase } from './database-url.ts';

const CONNECTIONS_MAX = 4;

/**
 * Runs `work` over the database in use, which must have the current schema.
 * @throws {TandemError} `unavailable`
 */
export async function withDatabase<T>(
  configuration: Configuration,
  command: string,
  work: (pool: Pool) => Promise<T>,
): Promise<T> {
  const { url, name } = requireDatabase(configuration);
  const applicationName = `tandem ${command}`;
  const pool = createPool(url, { applicationName, max: CONNECTIONS_MAX });
  try {
    if (!(await schemaIsCurrent(pool))) {
      const sentence = `${name} does not have the current schema; "tandem migrate" brings it.`;
      throw new TandemError('unavailable', sentence);
    }
    return await work(pool);
  } finally {
    await pool.end();
  }
}
