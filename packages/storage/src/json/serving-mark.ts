//   .tandem/serving/<process id>   locked by its process for as long as it lives
//   .tandem/serving/<process id>-2 of a second one that bears the same id, in a container of its own
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

/** Processes of one id, each in its container, that share a store. */
const SAME_ID_MAX = 100;

/** The marks of this process: its id alone does not tell them from another container's. */
const own = new Set<string>();

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
  const { path, lock } = await lockIn(directory, fileSystem);
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
  own.add(path);
  return {
    async release() {
      own.delete(path);
      // While it is locked: afterwards it may be another's.
      try {
        await removeIfPresent(fileSystem, path);
      } finally {
        await lock.release();
      }
    },
  };
}

async function lockIn(
  directory: string,
  fileSystem: FileSystem,
): Promise<{ readonly path: string; readonly lock: FileLock }> {
  const folder = folderOf(directory);
  try {
    await fileSystem.mkdir(layoutOf(directory).tandem, PRIVATE_DIRECTORY);
    await fileSystem.mkdir(folder, PRIVATE_DIRECTORY);
    for (let nth = 1; nth <= SAME_ID_MAX; nth++) {
      const path = join(folder, nth === 1 ? String(process.pid) : `${process.pid}-${nth}`);
      const lock = await fileSystem.lock(path);
      if (lock === undefined) continue;
      // One that has just let go of it may have removed the file that was locked here.
      if (await fileSystem.isLocked(path)) return { path, lock };
      await lock.release();
    }
  } catch (error) {
    throw storageError(`writing ${folder}`, placeRefusal(directory, error));
  }
  throw new Error(`${SAME_ID_MAX} processes of the id ${process.pid} hold marks in ${folder}.`);
}

/** The other live processes of this machine that serve, e.g. `api (process 4711)`. */
export async function othersServing(
  directory: string,
  fileSystem: FileSystem = realFileSystem,
): Promise<readonly string[]> {
  const others: string[] = [];
  for (const name of await fileSystem.readdir(folderOf(directory))) {
    const path = join(folderOf(directory), name);
    if (own.has(path)) continue;
    if (await fileSystem.isLocked(path)) others.push(await nameOf(fileSystem, path, name));
  }
  return others;
}

async function nameOf(fileSystem: FileSystem, path: string, name: string): Promise<string> {
  const pid = name.split('-', 1)[0];
  const text = (await readWhole(fileSystem, path))?.toString('utf8') ?? '';
  try {
    return `${(JSON.parse(text) as LockHolder).processName} (process ${pid})`;
  } catch (error) {
    if (error instanceof SyntaxError) return `process ${pid}`;
    throw error;
  }
}
