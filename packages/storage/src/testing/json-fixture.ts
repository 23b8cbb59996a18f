import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { loadCollections } from '../collections/index.ts';
import { type JsonStore, type JsonStoreOptions, openJsonStore } from '../json/index.ts';
import type { Store } from '../store.ts';
import { allEntries, expense, income } from './store-fixture.ts';

/** An empty directory that ends with the test. */
export async function freshDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tandem-json-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** Opens a store that is closed at the end of the test, if the test has not closed it. */
export async function open(
  directory: string,
  options: Partial<JsonStoreOptions> = {},
): Promise<JsonStore> {
  const store = await openJsonStore({
    directory,
    collections: await loadCollections(),
    ...options,
  });
  onTestFinished(async () => {
    if (!store.closing.aborted) await store.close();
  });
  return store;
}

/** Everything a store holds: records and tombstones with their stamps, ids, keys. */
export async function contentOf(store: Store): Promise<unknown> {
  return {
    expense: await allEntries(store, 1_000, expense),
    income: await allEntries(store, 1_000, income),
    keys: await store.scanKeys('', 1_000),
    highWater: await store.idHighWater(),
  };
}

/** The journal segments' paths, oldest first. */
export async function segmentsOf(directory: string): Promise<string[]> {
  const names = await readdir(join(directory, '.tandem'));
  return names
    .filter((name) => name.startsWith('journal-'))
    .sort()
    .map((name) => join(directory, '.tandem', name));
}

export const readRecords = async (directory: string, file = 'expenses.json'): Promise<unknown[]> =>
  JSON.parse(await readFile(join(directory, file), 'utf8'));

export const writeLegacy = (
  directory: string,
  text: string,
  file = 'expenses.json',
): Promise<void> => writeFile(join(directory, file), text);

/** Every file below a directory with its content, to see that nothing was touched. */
export async function filesBelow(directory: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files[path.slice(directory.length)] = await readFile(path, 'latin1');
  }
  return files;
}
