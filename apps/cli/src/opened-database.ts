import type { Configuration } from '@tandem/storage/configuration';
import { isTandemError, sentenceOf, TandemError } from '@tandem/storage/errors';
import { createPool, schemaIsCurrent } from '@tandem/storage/postgres';
import type { Pool } from 'pg';
import { type Database, requireDatabase } from './database-url.ts';

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
  const database = requireDatabase(configuration);
  const { url, name } = database;
  const applicationName = `tandem ${command}`;
  const pool = createPool(url, { applicationName, max: CONNECTIONS_MAX });
  try {
    if (!(await asked(database, schemaIsCurrent(pool)))) {
      const sentence = `${name} does not have the current schema; "tandem migrate" brings it.`;
      throw new TandemError('unavailable', sentence);
    }
    return await work(pool);
  } finally {
    await pool.end();
  }
}

/** The first question: a server that is away is named, with what to do. */
async function asked<T>({ name, remedy }: Database, question: Promise<T>): Promise<T> {
  try {
    return await question;
  } catch (error) {
    if (!isTandemError(error, 'unavailable')) throw error;
    const sentence = `${name} can't be asked: ${sentenceOf(error)} ${remedy}`;
    throw new TandemError('unavailable', sentence, { cause: error });
  }
}
