import { loadCollections } from '@tandem/storage/collections';
import { readConfiguration } from '@tandem/storage/configuration';
import { silentLog } from '@tandem/storage/log';
import { noObserver } from '@tandem/storage/observer';
import { ApiProcess } from '../process/api-process.ts';

interface Over {
  /** Of the database. */
  readonly url: string;
  /** Of the JSON store. */
  readonly directory: string;
}

/** The api over two stores, in this process; whoever makes it starts and stops it. */
export async function apiProcessOver(
  { url, directory }: Over,
  flags: Readonly<Record<string, string>> = {},
): Promise<ApiProcess> {
  const variables = { DATABASE_URL: url, JSON_DIR: directory, DATA_DIR: directory };
  return new ApiProcess({
    configuration: readConfiguration({ ...variables, ...flags }),
    collections: await loadCollections(),
    log: silentLog,
    observer: noObserver,
  });
}
