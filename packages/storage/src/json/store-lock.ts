import { hostname } from 'node:os';
import { TandemError } from '../errors.ts';
import type { FileLock, FileSystem } from './file-system.ts';
import type { Layout } from './layout.ts';
import { readWhole } from './whole-file.ts';

/** Who holds the store, as the lock file says. */
export interface LockHolder {
  readonly pid: number;
  readonly processName: string;
  readonly host: string;
  /** ISO instant. */
  readonly since: string;
}

/**
 * Takes the kernel lock of a store.
 * @throws {TandemError} `lock-held`, naming the holder
 */
export async function takeLock(
  fileSystem: FileSystem,
  layout: Layout,
  processName: string,
  now: number,
): Promise<FileLock> {
  const lock = await fileSystem.lock(layout.lock);
  if (lock === undefined) {
    const holder = await readHolder(fileSystem, layout);
    const who =
      holder === undefined
        ? 'another process'
        : `${holder.processName} (process ${holder.pid} on ${holder.host}, since ${holder.since})`;
    throw new TandemError('lock-held', `The JSON store ${layout.directory} is held by ${who}.`, {
      detail: { directory: layout.directory, ...(holder === undefined ? {} : { holder }) },
    });
  }
  const since = new Date(now).toISOString();
  const holder: LockHolder = { pid: process.pid, processName, host: hostname(), since };
  try {
    await lock.describe(JSON.stringify(holder));
  } catch (error) {
    await lock.release();
    throw error;
  }
  return lock;
}

/** Who holds the lock now; `undefined` when nobody does, or the holder has not said yet. */
export async function lockHolder(
  fileSystem: FileSystem,
  layout: Layout,
): Promise<LockHolder | undefined> {
  return (await fileSystem.isLocked(layout.lock)) ? readHolder(fileSystem, layout) : undefined;
}

async function readHolder(fileSystem: FileSystem, layout: Layout): Promise<LockHolder | undefined> {
  const text = (await readWhole(fileSystem, layout.lock))?.toString('utf8') ?? '';
  try {
    return JSON.parse(text);
  } catch (error) {
    // It is being written at this moment, or its holder died before it said who it was.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
