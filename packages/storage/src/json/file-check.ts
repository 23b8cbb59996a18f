import { keepOriginals } from './adoption.ts';
import { keepForeignFile } from './external-edit.ts';
import { loadLegacy, readLegacyFile } from './legacy-file.ts';
import type { Manifest } from './manifest.ts';
import type { Memory } from './memory.ts';
import type { OpenContext } from './open-context.ts';

/** How the checkpoint files are read. */
interface FileReading {
  hash(path: string): Promise<string | undefined>;
  /** The state in force, which a foreign file was an edit of. */
  base(): Promise<Memory>;
}

/** Compares the checkpoint files with what this store knows; keeps foreign ones aside. */
export async function lookAtFiles(
  context: OpenContext,
  manifest: Manifest,
  held: ReadonlySet<string>,
  reading: FileReading,
): Promise<{ files: Record<string, string | null>; behind: boolean }> {
  const { layout, collections, log } = context;
  const files: Record<string, string | null> = {};
  let behind = manifest.pending !== null;
  for (const collection of collections) {
    const { name } = collection;
    if (!held.has(name)) continue;
    const path = layout.checkpointFile(collection.file);
    const found = (await reading.hash(path)) ?? null;
    const known = manifest.files[name] ?? null;
    files[name] = found;
    if (found === known || (found !== null && found === manifest.pending?.files[name])) continue;
    behind = true;
    if (found === null) {
      log.warn({ file: path }, `${collection.file} is missing; the next checkpoint writes it anew`);
    } else await keepForeignFile(context, collection, (await reading.base()).table(name));
  }
  return { files, behind };
}

/** Adopts the legacy file of a collection that this store has not held before. */
export async function adoptLate(
  context: OpenContext,
  manifest: Manifest,
  memory: Memory,
  held: ReadonlySet<string>,
): Promise<[string, string | null][]> {
  const { fileSystem, layout, collections } = context;
  const adopted: [string, string | null][] = [];
  for (const collection of collections.filter(({ name }) => !held.has(name))) {
    const path = layout.checkpointFile(collection.file);
    const file = await readLegacyFile(fileSystem, path, collection);
    if (file !== undefined) {
      loadLegacy(memory.table(collection.name), file, manifest.phase.epoch);
      await keepOriginals(context, [collection.name]);
    }
    adopted.push([collection.name, file?.sha256 ?? null]);
  }
  return adopted;
}
