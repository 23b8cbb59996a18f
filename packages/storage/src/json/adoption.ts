//   no manifest ──> read every legacy file (refusals end here, nothing was written)
//               ──> keep the originals aside ──> state 1, journal 1 ──> manifest: now it is a store
//   A crash before the manifest leaves the files as they were; the next open begins anew and gives
//   the same ids.
import { randomUUID } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { isFileError } from './file-system.ts';
import { Journal } from './journal.ts';
import { type LegacyFile, loadLegacy, readLegacyFile } from './legacy-file.ts';
import type { Manifest } from './manifest.ts';
import { FORMAT, writeManifest } from './manifest.ts';
import { Memory } from './memory.ts';
import type { OpenContext, Recovered } from './open-context.ts';
import { writeState } from './state-file.ts';
import { PRIVATE_DIRECTORY, readRange, readWhole, refusal, writeSynced } from './whole-file.ts';

const FIRST_EPOCH = 1;
/** A segment that holds nothing is one header line; no header is longer. */
const HEADER_BYTES_MAX = 256;

/**
 * Makes a store of a directory that is none: of the legacy files there, or of nothing.
 * @throws {TandemError} `refused-to-open`; then every file is as it was
 */
export async function adopt(context: OpenContext): Promise<Recovered> {
  const { fileSystem, layout, collections } = context;
  await refuseLostManifest(context);
  const memory = new Memory(collections);
  const files = new Map<string, LegacyFile>();
  const hashes: Record<string, string | null> = {};
  for (const collection of collections) {
    const path = layout.checkpointFile(collection.file);
    const file = await readLegacyFile(fileSystem, path, collection);
    hashes[collection.name] = file?.sha256 ?? null;
    if (file !== undefined) files.set(collection.name, file);
  }
  for (const [name, file] of files) loadLegacy(memory.table(name), file, FIRST_EPOCH);
  await keepOriginals(context, [...files.keys()]);

  const storeId = randomUUID();
  await writeState(fileSystem, layout.state(1), { storeId, number: 1 }, memory.snapshot());
  const identity = { storeId, number: 1 };
  const journal = await Journal.create(context, identity, { batch: 0, seq: 0 });
  const manifest: Manifest = {
    format: FORMAT,
    storeId,
    phase: {
      ...{ pairId: randomUUID(), epoch: FIRST_EPOCH, phase: 'json-only', sealed: false },
      ...{ committing: null, catchUpSince: null, lastKnownFlags: null },
    },
    checkpoint: { number: 1, replayFrom: 1, batch: 0 },
    files: hashes,
    pending: null,
    segments: [journal.mark],
    outbox: { dropped: 0, relayed: 0 },
    filesBehind: true,
  };
  // Before the manifest: a process killed behind it leaves nothing that the next one would sync.
  await syncUpwards(context);
  await writeManifest(fileSystem, layout, manifest);
  const idsGiven = Object.fromEntries([...files].map(([name, { given }]) => [name, given]));
  for (const [collection, ids] of Object.entries(idsGiven)) {
    if (ids.length > 0) {
      context.log.warn({ collection, ids: ids.length }, 'Gave ids to adopted records without one');
    }
  }
  for (const { name, file } of collections) {
    const found = files.get(name);
    if (found !== undefined) sayAdopted(context, file, found);
  }
  const report = { adopted: files.size > 0, created: true, idsGiven, replayed: 0, warm: false };
  return { memory, journal, manifest, report, checkpointNow: false };
}

/** The first thing that whoever brings years of records wants to know. */
function sayAdopted({ log, layout }: OpenContext, file: string, { records }: LegacyFile): void {
  const unfit = records.filter(({ fits }) => !fits).length;
  const rest =
    unfit === 0 ? '' : `, ${unfit} of them as they are, since PostgreSQL can't hold them`;
  const original = join(layout.adopted, file);
  const sentence = `Adopted ${records.length} records of ${file}${rest}; the original is kept in ${original}.`;
  log.info({ file, records: records.length, unfit }, sentence);
}

/** Makes the directory's own entry durable, and those above it: any of them may be new. */
async function syncUpwards({ fileSystem, layout }: OpenContext): Promise<void> {
  for (let path = resolve(layout.directory); ; path = dirname(path)) {
    try {
      await fileSystem.syncDirectory(path);
    } catch (error) {
      // What this user may not open, this user did not make.
      if (path === resolve(layout.directory) || !isFileError(error, 'EACCES', 'EPERM')) throw error;
    }
    if (path === dirname(path)) return;
  }
}

/**
 * Copies the legacy files aside, once, before any checkpoint can replace them. The folder's own name is
 * synced with the manifest, which lies beside it and is written next.
 */
export async function keepOriginals(context: OpenContext, names: readonly string[]): Promise<void> {
  const { fileSystem, layout, collections } = context;
  if (names.length === 0) return;
  await fileSystem.mkdir(layout.adopted, PRIVATE_DIRECTORY);
  for (const { name, file } of collections) {
    const bytes = names.includes(name)
      ? await readWhole(fileSystem, layout.checkpointFile(file))
      : undefined;
    if (bytes !== undefined) await writeSynced(fileSystem, join(layout.adopted, file), bytes);
  }
  await fileSystem.syncDirectory(layout.adopted);
}

/** A journal with batches but no manifest is not a new directory: the manifest was lost. */
async function refuseLostManifest({ fileSystem, layout }: OpenContext): Promise<void> {
  for (const name of await fileSystem.readdir(layout.tandem)) {
    if (!/^journal-\d+\.log$/.test(name)) continue;
    const path = join(layout.tandem, name);
    try {
      const file = await fileSystem.openForReading(path);
      const bytes = await readRange(file, 0, HEADER_BYTES_MAX).finally(() => file.close());
      const header = bytes.indexOf(0x0a);
      if (header < 0 || header === bytes.length - 1) continue;
    } catch (error) {
      if (isFileError(error, 'ENOENT')) continue;
      throw error;
    }
    throw refusal(
      layout.manifest,
      `it is missing, although ${name} holds changes.`,
      'Restore this folder from a backup; or, to start over from the checkpoint files alone, move the whole .tandem folder away.',
    );
  }
}
