import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import { sentenceOf, TandemError } from '../errors.ts';
import type { CreateOptions, FileSystem, OpenFile } from './file-system.ts';
import { isFileError } from './file-system.ts';

/** Modes of what lies under `.tandem`. */
export const PRIVATE_FILE: CreateOptions = { mode: 0o600 };
export const PRIVATE_DIRECTORY = 0o700;

const CHUNK_BYTES = 1 << 20;

/** Writes all bytes at a position, however many writes that takes. */
export async function writeFully(file: OpenFile, bytes: Uint8Array, at: number): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const written = await file.write(bytes.subarray(done), at + done);
    if (written === 0) {
      throw Object.assign(new Error('The disk took no more bytes.'), { code: 'ENOSPC' });
    }
    done += written;
  }
}

/** Reads `length` bytes from a position, or fewer where the file ends. */
export async function readRange(file: OpenFile, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  return buffer.subarray(0, await readInto(file, at, buffer));
}

/** Fills a buffer from a position, or less of it where the file ends. @returns how many bytes */
export async function readInto(file: OpenFile, at: number, buffer: Uint8Array): Promise<number> {
  let filled = 0;
  while (filled < buffer.length) {
    const read = await file.read(buffer.subarray(filled), at + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

/** The file's bytes, or `undefined` when there is none. */
export async function readWhole(fileSystem: FileSystem, path: string): Promise<Buffer | undefined> {
  const file = await openIfPresent(fileSystem, path);
  if (file === undefined) return undefined;
  try {
    return await readRange(file, 0, await file.size());
  } finally {
    await file.close();
  }
}

export async function openIfPresent(
  fileSystem: FileSystem,
  path: string,
): Promise<OpenFile | undefined> {
  try {
    return await fileSystem.openForReading(path);
  } catch (error) {
    if (isFileError(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Hex SHA-256 of a file, or `undefined` when there is none. */
export async function hashFile(fileSystem: FileSystem, path: string): Promise<string | undefined> {
  const file = await openIfPresent(fileSystem, path);
  if (file === undefined) return undefined;
  try {
    const hash = createHash('sha256');
    // While one piece is hashed, the next one is read.
    const chunkBytes = Math.min(CHUNK_BYTES, Math.max(1, await file.size()));
    let buffer = Buffer.allocUnsafe(chunkBytes);
    let next = Buffer.allocUnsafe(chunkBytes);
    let read = await file.read(buffer, 0);
    for (let position = read; read > 0; position += read) {
      const reading = file.read(next, position);
      hash.update(buffer.subarray(0, read));
      read = await reading;
      [buffer, next] = [next, buffer];
    }
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}

export async function removeIfPresent(fileSystem: FileSystem, path: string): Promise<void> {
  try {
    await fileSystem.unlink(path);
  } catch (error) {
    if (!isFileError(error, 'ENOENT')) throw error;
  }
}

/** Makes a file with this content, synced; its directory entry is not. */
export async function writeSynced(
  fileSystem: FileSystem,
  path: string,
  bytes: Uint8Array,
  options: CreateOptions = PRIVATE_FILE,
): Promise<void> {
  const file = await fileSystem.create(path, options);
  try {
    await writeFully(file, bytes, 0);
    await file.fsync();
  } finally {
    await file.close();
  }
}

/**
 * A file operation failed in such a way that what is on disk is not known any more: nothing may be
 * acknowledged until the store was recovered from disk (I11).
 */
export class StorageBroken extends Error {
  constructor(doing: string, cause: unknown) {
    super(`The JSON store's disk failed: ${doing}: ${sentenceOf(cause)}`, { cause });
    this.name = 'StorageBroken';
  }
}

/**
 * Replaces a file so that a reader, and a crash at any moment, see the old or the new one.
 * @throws {StorageBroken} when it is not known which of them is there after a crash
 */
export async function replaceFile(
  fileSystem: FileSystem,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  try {
    await writeSynced(fileSystem, `${path}.new`, bytes);
  } catch (error) {
    // Gives the room back on a full disk; the old file stands. If this fails too, the first error
    // says more, and the next replacement empties the file.
    await removeIfPresent(fileSystem, `${path}.new`).catch(() => {});
    throw storageError(`writing ${path}`, error);
  }
  try {
    await fileSystem.rename(`${path}.new`, path);
    await fileSystem.syncDirectory(dirname(path));
  } catch (error) {
    throw new StorageBroken(`replacing ${path}`, error);
  }
}

/**
 * The operating error for a failed file operation: a full disk, or storage that can't be trusted.
 * Anything but a file error is given back as it is.
 */
export function storageError(doing: string, cause: unknown): unknown {
  const isFault = cause instanceof Error && 'syscall' in cause;
  if (isFileError(cause, 'ENOSPC', 'EDQUOT')) {
    const sentence = `The disk of the JSON store is full: ${doing} failed.`;
    return new TandemError('storage-full', sentence, { cause });
  }
  // Outside the commit loop there is nothing to recover in place: it is a failure like any other.
  if (cause instanceof StorageBroken) {
    return new TandemError('storage-failed', cause.message, { cause });
  }
  if (!isFault) return cause;
  const sentence = `The JSON store's disk failed: ${doing}: ${sentenceOf(cause)}`;
  return new TandemError('storage-failed', sentence, { cause });
}

/** A refusal to open: what is wrong where, and what to do about it. */
export function refusal(
  file: string,
  reason: string,
  whatToDo: string,
  detail: { readonly offset?: number; readonly line?: number } = {},
): TandemError {
  const where =
    detail.offset !== undefined
      ? `${file}, byte ${detail.offset}`
      : detail.line !== undefined
        ? `${file}, line ${detail.line}`
        : file;
  return new TandemError('refused-to-open', `${where}: ${reason} ${whatToDo}`, {
    detail: { file, reason, whatToDo, ...detail },
  });
}
