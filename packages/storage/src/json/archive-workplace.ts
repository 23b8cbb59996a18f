//   clear what a killed run left ─▶ note the names, durable ─▶ pack, read back ─▶ remove both, and the note
//   All of it under the store's lock: meanwhile nobody else makes an archive of this store.
//   A check of an archive has no store: its folder is known as its own, and as in use, by a locked file in it.
import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { sentenceOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { type FileLock, realFileSystem } from './file-system.ts';
import { layoutOf } from './layout.ts';
import { readWhole, removeIfPresent, replaceFile } from './whole-file.ts';

/** What an archive needs beside itself while it is made. */
export interface Workplace {
  /** What is packed, until it gets the archive's name. */
  readonly draft: string;
  /** The folder that it is read back in. */
  readonly unpacked: string;
}

/** Kept in the store while an archive is made. */
interface Note extends Workplace {
  /** A copy of the folder is not the one whose run these names are of: that one may still be at it. */
  readonly directory: string;
}

const TOKEN_BYTES = 6;
/** Nobody else gives such a name, so whatever has one is a run's own. */
const OWN_NAME = /\.[0-9a-f]{12}\.(?:part|check)$/;

/**
 * Makes room for an archive, after what an earlier run left that was killed. The caller holds the store's
 * lock, and calls {@link leaveWorkplace} at the end.
 */
export async function takeWorkplace(directory: string, file: string, log: Log): Promise<Workplace> {
  const { archiving } = layoutOf(directory);
  await clearLeftovers(directory, log);
  const token = randomBytes(TOKEN_BYTES).toString('hex');
  const place = { draft: `${file}.${token}.part`, unpacked: `${file}.${token}.check` };
  const note: Note = { directory: resolve(directory), ...place };
  await replaceFile(realFileSystem, archiving, Buffer.from(`${JSON.stringify(note)}\n`));
  await fs.mkdir(place.unpacked, { mode: 0o700 });
  return place;
}

/** Removes what stands beside the archive, then the note of it. */
export async function leaveWorkplace(directory: string, place: Workplace): Promise<void> {
  await remove(place);
  await removeIfPresent(realFileSystem, layoutOf(directory).archiving);
}

async function remove({ draft, unpacked }: Workplace): Promise<void> {
  await fs.rm(draft, { force: true });
  await removeUnpacked(unpacked);
}

async function clearLeftovers(directory: string, log: Log): Promise<void> {
  const text = await readWhole(realFileSystem, layoutOf(directory).archiving);
  if (text === undefined) return;
  const note = noteOf(text.toString('utf8'));
  const leftovers = [note?.draft, note?.unpacked].filter((path) => path !== undefined);
  try {
    if (note === undefined) throw new Error('The note of an earlier run names none of its files.');
    if (note.directory !== resolve(directory)) {
      throw new Error(`They are those of a run over ${note.directory}.`);
    }
    await remove(note);
  } catch (error) {
    // The archive itself does not depend on them.
    const sentence = 'Archive: what an earlier run left was not removed; remove it by hand';
    log.warn({ leftovers, error: sentenceOf(error) }, `${sentence}: ${sentenceOf(error)}`);
  }
}

/** `undefined` where it says anything but a run's own names. */
function noteOf(text: string): Note | undefined {
  try {
    const note: Note = JSON.parse(text);
    const isOwn = [note.draft, note.unpacked].every((path) => OWN_NAME.test(basename(path)));
    return isOwn ? note : undefined;
  } catch {
    return undefined; // Somebody else wrote it: a run replaces it whole.
  }
}

/** Removes what was unpacked. An unpacking that failed may still end what it had begun to write: then the folder
 *  is not empty at the first try. */
const removeUnpacked = (folder: string): Promise<void> =>
  fs.rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });

/** Lies in the folder of a check, locked for as long as that runs. */
const CHECKING = 'checking.lock';

/**
 * Makes a folder beside an archive for a check of it, after what checks of it left that were killed.
 * @returns the folder, and what removes it
 */
export async function takeCheckFolder(
  file: string,
): Promise<{ readonly folder: string; readonly leave: () => Promise<void> }> {
  await clearKilledChecks(file);
  const folder = await fs.mkdtemp(`${file}.check-`);
  const mark = join(folder, CHECKING);
  let lock: FileLock | undefined;
  try {
    // Locked before it has its name: another check takes one that is not locked for a killed one's.
    lock = await realFileSystem.lock(`${mark}.new`);
    if (lock === undefined) throw new Error(`${folder} is not its maker's alone.`);
    await realFileSystem.rename(`${mark}.new`, mark);
  } catch (error) {
    await removeUnpacked(folder);
    throw error;
  }
  const { release } = lock;
  return {
    folder,
    async leave() {
      try {
        await removeUnpacked(folder);
      } finally {
        await release();
      }
    },
  };
}

async function clearKilledChecks(file: string): Promise<void> {
  const prefix = `${basename(file)}.check-`;
  for (const name of await fs.readdir(dirname(file))) {
    if (!name.startsWith(prefix)) continue;
    const folder = join(dirname(file), name);
    const mark = join(folder, CHECKING);
    // Without the file it is somebody else's.
    if ((await realFileSystem.stat(mark)) === undefined) continue;
    if (!(await realFileSystem.isLocked(mark))) await removeUnpacked(folder);
  }
}
