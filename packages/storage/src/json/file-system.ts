import { watch } from 'node:fs';
import fs from 'node:fs/promises';
import { tryLock, unlock } from 'fs-native-extensions';
import { makeFolder } from '../folder.ts';

/** An open file. Positions and lengths are bytes. */
export interface OpenFile {
  /** Reads into the buffer; fewer bytes than it holds mean the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes some of the bytes and says how many; the caller writes the rest. */
  write(bytes: Uint8Array, position: number): Promise<number>;
  fdatasync(): Promise<void>;
  fsync(): Promise<void>;
  truncate(length: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}

/** What identifies one content of a file cheaply: any write or replacement changes it. */
export interface FileFacts {
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Inode, modification and change times as one text. */
  readonly identity: string;
}

export interface CreateOptions {
  /** Permission bits, taken as they are (no umask). */
  readonly mode: number;
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** A kernel lock on a file; it ends with the process, however that ends. */
export interface FileLock {
  /** Replaces the lock file's content, which names the holder to others. */
  describe(text: string): Promise<void>;
  release(): Promise<void>;
}

/**
 * The seam between the JSON store and the disk (a simulated one stands in for fault tests). Errors
 * are Node's, with their `code` (`ENOENT`, `ENOSPC`, `EIO` …).
 */
export interface FileSystem {
  /** `create` empties or makes the file; `update` opens an existing one for reading and writing. */
  openForReading(path: string): Promise<OpenFile>;
  openForUpdate(path: string): Promise<OpenFile>;
  create(path: string, options: CreateOptions): Promise<OpenFile>;
  rename(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  readdir(path: string): Promise<string[]>;
  /** Makes the directory and those above it; no error when it exists. */
  mkdir(path: string, mode?: number): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  /** `undefined` when there is no such file. */
  stat(path: string): Promise<FileFacts | undefined>;
  /** Whether the name itself is a symbolic link, also one that leads nowhere. */
  isLink(path: string): Promise<boolean>;
  /** The magic number of the file system that holds the path, as `statfs` gives it. */
  typeOf(path: string): Promise<number>;
  /** The lock, or `undefined` when another holds it. Creates the file if need be. */
  lock(path: string): Promise<FileLock | undefined>;
  /** Whether another holds the lock, without ever being in the way of one who takes it. */
  isLocked(path: string): Promise<boolean>;
  /** Calls back when entries of the directory change; best effort, polling must back it. */
  watch(path: string, onChange: () => void): () => void;
}

/** The lock itself, and a second byte that lets others ask without touching the first. */
const LOCK_BYTE = 0;
const PROBE_BYTE = 1;
const PROBE_RETRY_MAX = 100;
const PROBE_RETRY_MS = 2;

export const isFileError = (error: unknown, ...codes: string[]): error is NodeJS.ErrnoException =>
  error instanceof Error && codes.includes((error as NodeJS.ErrnoException).code ?? '');

const openFile = (handle: fs.FileHandle): OpenFile => ({
  read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
  write: async (bytes, position) =>
    (await handle.write(bytes, 0, bytes.length, position)).bytesWritten,
  fdatasync: () => handle.datasync(),
  fsync: () => handle.sync(),
  truncate: (length) => handle.truncate(length),
  size: async () => (await handle.stat()).size,
  close: () => handle.close(),
});

async function create(path: string, { mode, owner }: CreateOptions): Promise<OpenFile> {
  const handle = await fs.open(path, 'w+', mode);
  try {
    await handle.chmod(mode);
    if (owner !== undefined && process.getuid?.() === 0) await handle.chown(owner.uid, owner.gid);
  } catch (error) {
    await handle.close();
    throw error;
  }
  return openFile(handle);
}

async function stat(path: string): Promise<FileFacts | undefined> {
  try {
    const { size, mode, uid, gid, ino, mtimeNs, ctimeNs } = await fs.stat(path, { bigint: true });
    const identity = `${ino}-${size}-${mtimeNs}-${ctimeNs}`;
    return {
      size: Number(size),
      mode: Number(mode & 0o777n),
      uid: Number(uid),
      gid: Number(gid),
      identity,
    };
  } catch (error) {
    if (isFileError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await fs.lstat(path)).isSymbolicLink();
  } catch (error) {
    if (isFileError(error, 'ENOENT')) return false;
    throw error;
  }
}

async function lock(path: string): Promise<FileLock | undefined> {
  const flags = fs.constants.O_RDWR | fs.constants.O_CREAT;
  const handle = await fs.open(path, flags, 0o600);
  let taken = false;
  try {
    taken = tryLock(handle.fd, LOCK_BYTE, 1);
    if (!taken) return undefined;
    // Only probes contend for this byte, and each lets go of it at once.
    for (let tries = 0; !tryLock(handle.fd, PROBE_BYTE, 1); tries++) {
      if (tries === PROBE_RETRY_MAX) throw new Error(`The probe byte of ${path} stays locked.`);
      await new Promise((resume) => setTimeout(resume, PROBE_RETRY_MS));
    }
  } catch (error) {
    taken = false;
    throw error;
  } finally {
    if (!taken) await handle.close();
  }
  return {
    async describe(text) {
      const bytes = Buffer.from(text);
      await handle.write(bytes, 0, bytes.length, 0);
      await handle.truncate(bytes.length);
    },
    async release() {
      unlock(handle.fd, LOCK_BYTE, 2);
      await handle.close();
    },
  };
}

async function isLocked(path: string): Promise<boolean> {
  let handle: fs.FileHandle;
  try {
    handle = await fs.open(path, 'r');
  } catch (error) {
    if (isFileError(error, 'ENOENT')) return false;
    throw error;
  }
  try {
    return !tryLock(handle.fd, PROBE_BYTE, 1, { shared: true });
  } finally {
    await handle.close();
  }
}

function watchDirectory(path: string, onChange: () => void): () => void {
  const watcher = watch(path, { persistent: false }, onChange);
  // A watch that ends (directory gone, no inotify instances left) leaves the polling.
  watcher.on('error', () => watcher.close());
  return () => watcher.close();
}

/** The disk. */
export const realFileSystem: FileSystem = {
  openForReading: async (path) => openFile(await fs.open(path, 'r')),
  openForUpdate: async (path) => openFile(await fs.open(path, 'r+')),
  create,
  rename: (from, to) => fs.rename(from, to),
  unlink: (path) => fs.unlink(path),
  readdir: (path) => fs.readdir(path),
  mkdir: makeFolder,
  syncDirectory: async (path) => {
    const handle = await fs.open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  stat,
  isLink,
  typeOf: async (path) => (await fs.statfs(path)).type,
  lock,
  isLocked,
  watch: watchDirectory,
};
