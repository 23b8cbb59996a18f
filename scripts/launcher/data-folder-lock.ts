//   DATA_DIR/.lock   kernel lock: gone with the process, however that ends
//   its content      {"pid": launcher, "services": [{"name", "pid", "entry"}, …]}, for messages and
//                    for the next launcher, should this one be killed
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { sentenceOf, TandemError } from '@tandem/storage/errors';
import { makeFolder } from '@tandem/storage/folder';
import { tryLock } from 'fs-native-extensions';

/** A process that the lock's holder started. */
export interface StartedService {
  readonly name: string;
  readonly pid: number;
  /** The file it runs; tells it from a stranger that was given the same pid later. */
  readonly entry: string;
}

interface LockContent {
  readonly pid: number;
  readonly services: readonly StartedService[];
}

export interface DataFolderLock {
  /** What the previous holder had started when it last noted it. */
  readonly previous: readonly StartedService[];
  /** Notes what runs under this lock now. */
  note(services: readonly StartedService[]): void;
  release(): void;
}

/**
 * Takes a data folder for this process, creating it where it is absent.
 * @throws {TandemError} `lock-held` naming the folder and the holder's pid; `configuration` when the
 *   folder can't be made or written
 */
export async function lockDataFolder(folder: string): Promise<DataFolderLock> {
  const file = join(folder, '.lock');
  let fd: number;
  try {
    await makeFolder(folder);
    fd = openSync(file, 'a+', 0o600);
  } catch (cause) {
    const sentence = `The data folder ${folder} (DATA_DIR) can't be made or written: ${sentenceOf(cause)}.`;
    throw new TandemError('configuration', sentence, { cause });
  }
  if (!tryLock(fd)) {
    closeSync(fd);
    const pid = contentOf(file)?.pid;
    const holder = pid === undefined ? 'another process' : `process ${pid}`;
    throw new TandemError(
      'lock-held',
      `The data folder ${folder} (DATA_DIR) is in use by ${holder}; stop that one first, or choose another folder.`,
      { detail: { folder, pid } },
    );
  }
  const previous = contentOf(file)?.services ?? [];
  const note = (services: readonly StartedService[]) => {
    ftruncateSync(fd, 0);
    writeSync(fd, JSON.stringify({ pid: process.pid, services } satisfies LockContent));
  };
  note([]);
  return {
    previous,
    note,
    release: () => {
      note([]);
      closeSync(fd);
    },
  };
}

function contentOf(file: string): LockContent | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // Empty at its first use, or just being written by its holder.
    return undefined;
  }
}
