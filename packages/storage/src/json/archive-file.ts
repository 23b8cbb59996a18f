//   archive.tar.gz
//     .tandem/archive-manifest.json   what was archived, by whom, why; SHA-256 of every other file
//     expenses.json, incomes.json     the checkpoint
//     .tandem/…                       state, journal, originals, decided edits, torn tails
//   Unpacked into an empty folder it is a JSON store again.
import fs from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { create, extract } from 'tar';
import type { Collection } from '../collections/index.ts';
import { TandemError } from '../errors.ts';
import type { Log } from '../log.ts';
import { readContent, type StoreContent } from './archive-content.ts';
import {
  leaveWorkplace,
  takeCheckFolder,
  takeWorkplace,
  type Workplace,
} from './archive-workplace.ts';
import { type FileSystem, isFileError, realFileSystem } from './file-system.ts';
import { openJsonSnapshot } from './json-snapshot.ts';
import { layoutOf } from './layout.ts';
import { hashFile, storageError, writeSynced } from './whole-file.ts';

export const ARCHIVE_FORMAT = 1;

export interface ArchivedFile {
  /** Below JSON_DIR. */
  readonly path: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

/** What stands in an archive's own manifest. */
export interface ArchiveManifest {
  readonly format: typeof ARCHIVE_FORMAT;
  /** ISO instant. */
  readonly at: string;
  readonly actor: string;
  readonly reason: string;
  /** Of the stores that belong together, and the epoch that JSON was left in. */
  readonly pairId: string;
  readonly epoch: number;
  readonly content: StoreContent;
  readonly files: readonly ArchivedFile[];
}

/** Lie in `.tandem` and are of no use later: locks, requests, what is written at this moment. */
const PASSING =
  /^(?:lock|handover|serving|room-probe|archive-manifest\.json|archiving\.json|.*\.new)$/;

/** Every file of a store, with its hash; nobody writes to it meanwhile. */
export async function filesOf(
  directory: string,
  collections: readonly Collection[],
  fileSystem: FileSystem = realFileSystem,
): Promise<readonly ArchivedFile[]> {
  const layout = layoutOf(directory);
  const paths = collections.map(({ file }) => file);
  for (const entry of await fs.readdir(layout.tandem, { withFileTypes: true })) {
    if (PASSING.test(entry.name)) continue;
    const path = join('.tandem', entry.name);
    if (!entry.isDirectory()) paths.push(path);
    else paths.push(...(await fs.readdir(join(directory, path))).map((name) => join(path, name)));
  }
  const files: ArchivedFile[] = [];
  for (const path of paths.sort()) {
    const sha256 = await hashFile(fileSystem, join(directory, path));
    // A collection that was never written has no file.
    if (sha256 === undefined) continue;
    files.push({ path, bytes: (await fs.stat(join(directory, path))).size, sha256 });
  }
  return files;
}

export interface PackOptions {
  readonly directory: string;
  /** The archive; it must not exist. */
  readonly file: string;
  readonly manifest: ArchiveManifest;
  readonly collections: readonly Collection[];
  readonly log: Log;
  /** What the archive is read back by. */
  readonly fileSystem?: FileSystem;
}

/**
 * Packs a store's files; durable under its name when it resolves, and read back before that. The caller
 * holds the store's lock.
 * @returns hex SHA-256 of the archive
 * @throws {TandemError} `conflict` when it exists; `storage-full`, `storage-failed`, also when what was
 *   read back is not what was written
 */
export async function packArchive(options: PackOptions): Promise<string> {
  const { directory, file, manifest, collections, log, fileSystem = realFileSystem } = options;
  const { archiveManifest } = layoutOf(directory);
  let place: Workplace | undefined;
  try {
    place = await takeWorkplace(directory, file, log);
    const { draft, unpacked } = place;
    const text = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
    await writeSynced(realFileSystem, archiveManifest, text);
    const paths = [join('.tandem', 'archive-manifest.json'), ...manifest.files.map((f) => f.path)];
    await create({ gzip: true, portable: true, strict: true, cwd: directory, file: draft }, paths);
    await fs.chmod(draft, 0o600);
    await sync(draft);
    await readBack(draft, unpacked, { collections, expected: manifest, fileSystem });
    const sha256 = (await hashFile(fileSystem, draft)) as string;
    // Unlike a rename, a link never replaces what somebody else has put there meanwhile.
    await fs.link(draft, file);
    await realFileSystem.syncDirectory(dirname(file));
    return sha256;
  } catch (error) {
    if (isFileError(error, 'EEXIST')) throw existsAlready(file);
    throw storageError(`writing ${file}`, error);
  } finally {
    await fs.rm(archiveManifest, { force: true });
    if (place !== undefined) await leaveWorkplace(directory, place);
  }
}

export const existsAlready = (file: string): TandemError =>
  new TandemError('conflict', `${file} exists already; name another file.`);

async function sync(path: string): Promise<void> {
  const handle = await fs.open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Unpacks an archive beside itself, holds every file against its hash, opens what was unpacked as a
 * store, and holds its records, tombstones and keys against the archive's manifest. Leaves nothing.
 * @throws {TandemError} `not-found`; `storage-failed` naming what differs; `refused-to-open` when it is not an archive
 */
export async function checkArchive(
  file: string,
  collections: readonly Collection[],
): Promise<ArchiveManifest> {
  if ((await realFileSystem.stat(file)) === undefined) {
    throw new TandemError('not-found', `There is no file ${file}.`);
  }
  const { folder, leave } = await takeCheckFolder(file);
  try {
    return await readBack(file, folder, { collections, fileSystem: realFileSystem });
  } finally {
    await leave();
  }
}

interface ReadBackOptions {
  readonly collections: readonly Collection[];
  /** The manifest it must have, where that is known. */
  readonly expected?: ArchiveManifest;
  readonly fileSystem: FileSystem;
}

/** @param folder an empty one, for what is unpacked */
async function readBack(
  file: string,
  folder: string,
  { collections, expected, fileSystem }: ReadBackOptions,
): Promise<ArchiveManifest> {
  await unpack(file, folder);
  const manifest = await readArchiveManifest(file, folder);
  const differs = (what: string): TandemError =>
    new TandemError('storage-failed', `The archive ${file} is not what was archived: ${what}.`);
  if (expected !== undefined && JSON.stringify(manifest) !== JSON.stringify(expected)) {
    throw differs('its manifest differs');
  }
  for (const { path, sha256 } of manifest.files) {
    const found = await hashFile(fileSystem, join(folder, path));
    if (found !== sha256)
      throw differs(`${path} ${found === undefined ? 'is missing' : 'differs'}`);
  }
  const snapshot = await openJsonSnapshot({ directory: folder, collections, fileSystem });
  try {
    const content = await readContent(snapshot, collections);
    if (JSON.stringify(content) !== JSON.stringify(manifest.content)) {
      throw differs('its records differ');
    }
  } finally {
    await snapshot.close();
  }
  return manifest;
}

async function unpack(file: string, folder: string): Promise<void> {
  try {
    await extract({ file, cwd: folder, strict: true });
  } catch (error) {
    if (isFileError(error, 'ENOSPC', 'EDQUOT', 'EIO'))
      throw storageError(`unpacking ${file}`, error);
    throw notAnArchive(file, error);
  }
}

async function readArchiveManifest(file: string, folder: string): Promise<ArchiveManifest> {
  let manifest: ArchiveManifest;
  try {
    manifest = JSON.parse(await fs.readFile(layoutOf(folder).archiveManifest, 'utf8'));
  } catch (error) {
    throw notAnArchive(file, error);
  }
  if (manifest.format === ARCHIVE_FORMAT) return manifest;
  const sentence = `${file} was written in format ${manifest.format}; this version reads format ${ARCHIVE_FORMAT}.`;
  throw new TandemError('refused-to-open', sentence);
}

const notAnArchive = (file: string, cause: unknown): TandemError =>
  new TandemError('refused-to-open', `${file} is not a whole archive of a JSON store.`, { cause });
