import { loadCollections } from '../collections/index.ts';
import type { JsonPhaseState } from '../phase/index.ts';
import { readEdits } from './external-edit.ts';
import { type FileSystem, realFileSystem } from './file-system.ts';
import { decodePayload } from './journal-payload.ts';
import { layoutOf } from './layout.ts';
import { scanLines } from './line-codec.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { type LockHolder, lockHolder } from './store-lock.ts';
import { openIfPresent, storageError } from './whole-file.ts';

/** Checkpoints that may replace the manifest under a reader before it takes what it has. */
const REREAD_MAX = 10;

/** What can be seen of a store without its lock. */
export interface JsonInspection {
  /** `legacy`: checkpoint files that no store has adopted yet. */
  readonly kind: 'store' | 'legacy' | 'empty';
  readonly holder: LockHolder | undefined;
  readonly phase: JsonPhaseState | undefined;
  /** `seq` of the last outbox item in the journal; one that is being written may be counted. */
  readonly head: number;
  /** The last batch in the journal, counted over all segments. */
  readonly batch: number;
  /** Foreign edits of the files that wait for a decision. */
  readonly openEdits: number;
}

/**
 * Looks at a store's directory without its lock, also beside a running holder. Changes nothing.
 * @throws {TandemError} `refused-to-open` when the manifest is damaged or of a newer version;
 *   `storage-failed` when the directory can't be read, e.g. because it is a file
 */
export async function inspectJsonStore(
  directory: string,
  fileSystem: FileSystem = realFileSystem,
): Promise<JsonInspection> {
  try {
    return await inspect(directory, fileSystem);
  } catch (error) {
    throw storageError(`reading ${directory}`, error);
  }
}

/**
 * The phase that the manifest says, without its lock and without a look at anything else; `undefined` where there is
 * no store. @throws {TandemError} as `inspectJsonStore`
 */
export async function inspectJsonPhase(
  directory: string,
  fileSystem: FileSystem = realFileSystem,
): Promise<JsonPhaseState | undefined> {
  try {
    return (await readManifest(fileSystem, layoutOf(directory)))?.phase;
  } catch (error) {
    throw storageError(`reading ${directory}`, error);
  }
}

async function inspect(directory: string, fileSystem: FileSystem): Promise<JsonInspection> {
  const layout = layoutOf(directory);
  const holder = await lockHolder(fileSystem, layout);
  for (let reads = 1; ; reads++) {
    const manifest = await readManifest(fileSystem, layout);
    if (manifest === undefined) {
      const kind = (await hasLegacyFiles(directory, fileSystem)) ? 'legacy' : 'empty';
      return { kind, holder, phase: undefined, head: 0, batch: 0, openEdits: 0 };
    }
    const end = await endOf(fileSystem, layout.segment, manifest);
    if (end !== undefined || reads === REREAD_MAX) {
      const { seq: head, batch } = end ?? manifest.segments.at(-1) ?? { seq: 0, batch: 0 };
      const edits = await readEdits({ fileSystem, layout });
      const openEdits = edits.filter(({ status }) => status === 'open').length;
      return { kind: 'store', holder, phase: manifest.phase, head, batch, openEdits };
    }
  }
}

async function hasLegacyFiles(directory: string, fileSystem: FileSystem): Promise<boolean> {
  const { checkpointFile } = layoutOf(directory);
  for (const { file } of await loadCollections()) {
    if ((await fileSystem.stat(checkpointFile(file))) !== undefined) return true;
  }
  return false;
}

/** The last `seq` and batch of the last segment; `undefined` when a checkpoint has dropped it meanwhile. */
async function endOf(
  fileSystem: FileSystem,
  pathOf: (segment: number) => string,
  manifest: Manifest,
): Promise<{ readonly seq: number; readonly batch: number } | undefined> {
  const mark = manifest.segments.at(-1);
  if (mark === undefined) return undefined;
  const file = await openIfPresent(fileSystem, pathOf(mark.number));
  if (file === undefined) return undefined;
  let { seq, batch } = mark;
  let inBatch = seq;
  try {
    // A line that is being written at this moment merely ends the scan.
    await scanLines(file, { offset: mark.length, checksum: mark.checksum }, (line) => {
      const payload = decodePayload(line.buffer, line.from, line.to);
      if (payload.kind === 'commit') ({ seq, batch } = { seq: inBatch, batch: payload.batch });
      else if (payload.kind === 'item') inBatch = payload.seq ?? inBatch;
      return undefined;
    });
    return { seq, batch };
  } finally {
    await file.close();
  }
}
