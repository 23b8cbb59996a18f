//   .tandem/serving/<process id>   locked by its process for as long as it lives
import { hostname } from 'node:os';
import { join } from 'node:path';
import { type FileLock, type FileSystem, isFileError, realFileSystem } from './file-system.ts';
import { layoutOf } from './layout.ts';
import { placeRefusal } from './place-refusal.ts';
import type { LockHolder } from './store-lock.ts';
import { PRIVATE_DIRECTORY, readWhole, removeIfPresent, storageError } from './whole-file.ts';

/** Shows other processes of this machine that this one may be serving PostgreSQL. */
export interface ServingMark {
  release(): Promise<void>;
}

const folderOf = (directory: string): string => join(layoutOf(directory).tandem, 'serving');

/**
 * Marks this process as one that serves. The kernel frees the mark with the process, however it ends.
 * @throws {TandemError} `refused-to-open` when the folder can't be used; `storage-full`, `storage-failed`
 */
export async function markServing(
  directory: string,
  processName: string,
  fileSystem: FileSystem = realFileSystem,
): Promise<ServingMark> {
  const path = join(folderOf(directory), String(process.pid));
  const lock = await lockIn(directory, path, fileSystem);
  if (lock === undefined) throw new Error(`${path} is locked, though it bears this process's id.`);
  const since = new Date().toISOString();
  const holder: LockHolder = { pid: process.pid, processName, host: hostname(), since };
  try {
    await lock.describe(JSON.stringify(holder));
  } catch (error) {
    // The lock is what counts; who holds it is for a sentence, and a full disk has no room for it.
    if (!isFileError(error, 'ENOSPC', 'EDQUOT')) {
      await lock.release();
      throw storageError(`writing ${path}`, error);
    }
  }
  return {
    async release() {
      await lock.release();
      await removeIfPresent(fileSystem, path);
    },
  };
}

async function lockIn(
  directory: string,
  path: string,
  fileSystem: FileSystem,
): Promise<FileLock | undefined> {
  try {
    await fileSystem.mkdir(layoutOf(directory).tandem, PRIVATE_DIRECTORY);
    await fileSystem.mkdir(folderOf(directory), PRIVATE_DIRECTORY);
    return await fileSystem.lock(path);
  } catch (error) {
    throw storageError(`writing ${path}`, placeRefusal(directory, error));
  }
}

/** The other live processes of this machine that serve, e.g. `api (process 4711)`. */
export async function othersServing(
  directory: string,
  fileSystem: FileSystem = realFileSystem,
): Promise<readonly string[]> {
  const others: string[] = [];
  for (const name of await fileSystem.readdir(folderOf(directory))) {
    if (name === String(process.pid)) continue;
    const path = join(folderOf(directory), name);
    if (await fileSystem.isLocked(path)) others.push(await nameOf(fileSystem, path, name));
  }
  return others;
}

async function nameOf(fileSystem: FileSystem, path: string, pid: string): Promise<string> {
  const text = (await readWhole(fileSystem, path))?.toString('utf8') ?? '';
  try {
    return `${(JSON.parse(text) as LockHolder).processName} (process ${pid})`;
  } catch (error) {
    if (error instanceof SyntaxError) return `process ${pid}`;
    throw error;
  }
}
