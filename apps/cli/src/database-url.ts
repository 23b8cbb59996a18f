import { join } from 'node:path';
import { embeddedUrl } from '@tandem/embedded-postgres';
import type { Configuration } from '@tandem/storage/configuration';
import { TandemError } from '@tandem/storage/errors';

/** The database that is meant, and how to say so in a sentence. */
export interface Database {
  readonly url: string;
  readonly name: string;
  /** What to do when it does not answer. */
  readonly remedy: string;
}

/** The configured database, else the embedded one, which exists from the first `npm start` on. */
export function databaseOf({ databaseUrl, dataDir }: Configuration): Database | undefined {
  if (databaseUrl !== undefined) {
    return { url: databaseUrl, name: 'The database of DATABASE_URL', remedy: 'Is it running?' };
  }
  const folder = join(dataDir, 'postgres');
  const url = embeddedUrl(folder);
  if (url === undefined) return undefined;
  return {
    url,
    name: `The embedded PostgreSQL in ${folder}`,
    remedy: 'It runs while "npm start" does.',
  };
}

/** @throws {TandemError} `unavailable` when there is no embedded database yet */
export function requireDatabase(configuration: Configuration): Database {
  const database = databaseOf(configuration);
  if (database === undefined) {
    throw new TandemError(
      'unavailable',
      `There is no database yet in ${configuration.dataDir} (DATA_DIR), and DATABASE_URL is not set; "npm start" makes one.`,
    );
  }
  return database;
}
