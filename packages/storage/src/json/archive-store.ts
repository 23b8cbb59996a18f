//   look ── lock, open, close (files whole, foreign edits seen) ── lock ── pack ── read back ── empty
//                                                                    │ a crash here leaves the store whole
//                                                                    └ commit point: the emptied manifest
//   The emptied store keeps pair, epoch, phase and id marks: a rollback to postgres-primary brings
//   everything over by difference, as for any store that lacks something.
import { randomUUID } from 'node:crypto';
import { dirname, join, relative, resolve } from 'node:path';
import type { Collection } from '../collections/index.ts';
import { TandemError } from '../errors.ts';
import { type Log, silentLog } from '../log.ts';
import { noObserver } from '../observer.ts';
import type { JsonPhaseState } from '../phase/index.ts';
import { readContent, type StoreContent } from './archive-content.ts';
import {
  ARCHIVE_FORMAT,
  type ArchivedFile,
  type ArchiveManifest,
  existsAlready,
  filesOf,
  packArchive,
} from './archive-file.ts';
import { type FileSystem, realFileSystem } from './file-system.ts';
import { inspectJsonStore } from './inspect.ts';
import { JOURNAL_ROOM, Journal } from './journal.ts';
import { openJsonSnapshot } from './json-snapshot.ts';
import { layoutOf } from './layout.ts';
import { type Manifest, readManifest, writeManifest } from './manifest.ts';
import { Memory } from './memory.ts';
import { openJsonStore } from './open.ts';
import type { OpenContext } from './open-context.ts';
import { writeState } from './state-file.ts';
import { takeLock } from './store-lock.ts';
import { removeIfPresent, storageError } from './whole-file.ts';

const HOLDER = 'archive-json';

export interface ArchiveOptions {
  readonly directory: string;
  readonly collections: readonly Collection[];
  readonly log?: Log;
  /** The `.tar.gz` to make, outside of `directory`. */
  readonly file: string;
  readonly actor: string;
  readonly reason: string;
  readonly now?: () => number;
  /** What empties the store, and reads the archive back; it is written by `tar`. */
  readonly fileSystem?: FileSystem;
  /** Asked before and, under the lock, again after packing. @throws {TandemError} why it must not be */
  readonly mayArchive: (json: JsonPhaseState) => Promise<void>;
}

export interface ArchiveReport {
  readonly file: string;
  /** Hex SHA-256 of the archive; `null` in a dry run. */
  readonly sha256: string | null;
  readonly content: StoreContent;
  readonly files: readonly ArchivedFile[];
}

/**
 * Says what {@link archiveJsonStore} would do. Changes nothing.
 * @throws {TandemError} as that, as far as it can be seen without opening the store
 */
export async function planArchive(options: ArchiveOptions): Promise<ArchiveReport> {
  const { directory, collections, file, mayArchive } = options;
  const { phase, holder, openEdits } = await lookAt(options);
  if (holder !== undefined) throw held(directory, `${holder.processName} (process ${holder.pid})`);
  requireNoEdits(openEdits);
  await mayArchive(phase);
  const content = await contentOf(options);
  return { file, sha256: null, content, files: await filesOf(directory, collections) };
}

/**
 * Packs a JSON store that nothing follows any more into an archive, reads that back, and leaves the
 * store empty and marked as archived.
 * @throws {TandemError} `unavailable` without a store; `conflict` when it was archived before, holds what
 *   is not settled, is held by another process, or the file exists; whatever `mayArchive` throws;
 *   `storage-full`, `storage-failed`: then the store is as it was
 */
export async function archiveJsonStore(options: ArchiveOptions): Promise<ArchiveReport> {
  const { directory, collections, file, mayArchive, log = silentLog, now = Date.now } = options;
  await mayArchive((await lookAt(options)).phase);
  if ((await realFileSystem.stat(dirname(file))) === undefined) {
    throw new TandemError('conflict', `There is no folder ${dirname(file)}.`);
  }
  await bringUpFiles(options);
  const { fileSystem = realFileSystem } = options;
  const layout = layoutOf(directory);
  const observer = noObserver;
  const context: OpenContext = {
    ...{ fileSystem, layout, collections, log, observer, now, journalRoom: JOURNAL_ROOM },
  };
  const lock = await takeLock(fileSystem, layout, HOLDER, now());
  try {
    const { phase } = await lookAt(options);
    await mayArchive(phase);
    const stored = (await readManifest(fileSystem, layout)) as Manifest;
    const files = await filesOf(directory, collections);
    requireOwnFiles(stored, collections, files);
    const content = await contentOf(options);
    const at = new Date(now()).toISOString();
    const { actor, reason } = options;
    const manifest: ArchiveManifest = {
      ...{ format: ARCHIVE_FORMAT, at, actor, reason, pairId: phase.pairId, epoch: phase.epoch },
      ...{ content, files },
    };
    const sha256 = await packArchive({ directory, file, manifest, collections, log, fileSystem });
    await mayArchive(phase);
    await empty(context, stored, content, { at, file, sha256 });
    await removeArchived(context, files);
    return { file, sha256, content, files };
  } catch (error) {
    throw storageError(`archiving ${directory}`, error);
  } finally {
    await lock.release();
  }
}

async function lookAt({ directory, file }: ArchiveOptions) {
  const { phase, ...seen } = await inspectJsonStore(directory);
  if (phase === undefined) {
    throw new TandemError('unavailable', `There is no JSON store in ${directory} to archive.`);
  }
  if (phase.archived) {
    const { at, file: before } = phase.archived;
    throw new TandemError('conflict', `The JSON side was archived at ${at} into ${before}.`);
  }
  if (!relative(resolve(directory), resolve(file)).startsWith('..')) {
    const sentence = `${file} lies in ${directory}, which is to be archived; name a file outside of it.`;
    throw new TandemError('conflict', sentence);
  }
  if ((await realFileSystem.stat(file)) !== undefined) throw existsAlready(file);
  return { ...seen, phase };
}

/** Opens and closes the store: its files hold everything then, and foreign edits of them were seen. */
async function bringUpFiles({ directory, collections, log }: ArchiveOptions): Promise<void> {
  const options = { directory, collections, processName: HOLDER, ...(log && { log }) };
  const store = await openJsonStore(options);
  try {
    requireNoEdits(store.externalEdits().filter(({ status }) => status === 'open').length);
    if (store.mappingErrorCount > 0) {
      const sentence = `${store.mappingErrorCount} records of JSON can't be held by PostgreSQL (mapping errors); correct or delete them first.`;
      throw new TandemError('conflict', sentence);
    }
  } finally {
    await store.close();
  }
}

async function contentOf({ directory, collections, now }: ArchiveOptions): Promise<StoreContent> {
  const snapshot = await openJsonSnapshot({ directory, collections, ...(now && { now }) });
  try {
    return await readContent(snapshot, collections);
  } finally {
    await snapshot.close();
  }
}

function requireNoEdits(count: number): void {
  if (count === 0) return;
  const sentence = `${count} external edits wait for a decision ("tandem external-edits").`;
  throw new TandemError('conflict', sentence);
}

/** Somebody may have edited a file since the store was closed. */
function requireOwnFiles(
  manifest: Manifest,
  collections: readonly Collection[],
  files: readonly ArchivedFile[],
): void {
  for (const { name, file } of collections) {
    const found = files.find(({ path }) => path === file)?.sha256 ?? null;
    if (found === (manifest.files[name] ?? null)) continue;
    const sentence = `${file} was edited just now; "tandem external-edits" shows how.`;
    throw new TandemError('conflict', sentence);
  }
}

const held = (directory: string, by: string): TandemError =>
  new TandemError('conflict', `The JSON store ${directory} is held by ${by}; stop it first.`);

/** Another store by its files, the same by its place in the pair: what followed the old files can't
 *  take these for their continuation. */
async function empty(
  context: OpenContext,
  manifest: Manifest,
  content: StoreContent,
  archived: NonNullable<JsonPhaseState['archived']>,
): Promise<void> {
  const { fileSystem, layout, collections } = context;
  const last = manifest.segments.at(-1);
  if (last === undefined) throw new Error('The manifest names no journal segment.');
  const storeId = randomUUID();
  const number = manifest.checkpoint.number + 1;
  const memory = new Memory(collections);
  for (const table of memory.tables) {
    table.highWater = content.collections[table.collection.name]?.idHighWater ?? 0;
  }
  await writeState(fileSystem, layout.state(number), { storeId, number }, memory.snapshot());
  const start = { batch: last.batch, seq: last.seq };
  const journal = await Journal.create(context, { storeId, number: last.number + 1 }, start);
  await journal.close();
  // Before the manifest: while it is the old one, a missing file is merely written anew.
  for (const { file } of collections)
    await removeIfPresent(fileSystem, layout.checkpointFile(file));
  await fileSystem.syncDirectory(layout.directory);
  const { mark } = journal;
  await writeManifest(fileSystem, layout, {
    ...manifest,
    storeId,
    phase: { ...manifest.phase, archived },
    checkpoint: { number, replayFrom: mark.number, batch: last.batch },
    files: Object.fromEntries(collections.map(({ name }) => [name, null])),
    pending: null,
    segments: [mark],
    outbox: { dropped: last.seq, relayed: Math.max(manifest.outbox.relayed, last.seq) },
    filesBehind: false,
  });
}

/** All of it is in the archive; a leftover of a crash here is in nobody's way. */
async function removeArchived(
  { fileSystem, layout }: OpenContext,
  files: readonly ArchivedFile[],
): Promise<void> {
  for (const { path } of files) {
    const found = join(layout.directory, path);
    if (found !== layout.manifest) await removeIfPresent(fileSystem, found);
  }
}
