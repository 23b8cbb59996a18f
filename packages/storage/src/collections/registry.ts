import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Collection } from './collection.ts';

const DEFINITIONS = join(import.meta.dirname, 'definitions');

/**
 * Every collection of a definitions folder, by name. A definition file's default export is the
 * collection; dropping a file into the folder (and a migration beside the others) is all that
 * adding one takes.
 * @throws {Error} when a file exports no collection, or two share a name or a file.
 */
export async function loadCollections(folder = DEFINITIONS): Promise<readonly Collection[]> {
  const files = (await readdir(folder)).filter((file) => /^[^.]+\.ts$/.test(file)).sort();
  const collections: Collection[] = [];
  for (const file of files) {
    const module: { default?: Collection } = await import(pathToFileURL(join(folder, file)).href);
    const collection = module.default;
    if (collection?.fields === undefined) {
      throw new Error(`${join(folder, file)} has no collection as its default export.`);
    }
    if (collections.some((c) => c.name === collection.name || c.file === collection.file)) {
      throw new Error(`${join(folder, file)} repeats the name or file of another collection.`);
    }
    collections.push(collection);
  }
  return collections;
}
