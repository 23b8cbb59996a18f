//   load: manifest ──> state file ──> journal, up to the last whole batch
//   refresh: the journal's new batches ── can't be followed ──> load anew
//   Nothing is locked and nothing is written. A file that a checkpoint replaced meanwhile: once more.
import type { Collection } from '../collections/index.ts';
import { isTandemError, TandemError } from '../errors.ts';
import type { JsonPhaseState } from '../phase/index.ts';
import { type FileSystem, realFileSystem } from './file-system.ts';
import { type Layout, layoutOf } from './layout.ts';
import { type Manifest, readManifest } from './manifest.ts';
import { Memory } from './memory.ts';
import { MemoryReads } from './memory-reads.ts';
import { SnapshotJournal, SnapshotOvertaken } from './snapshot-journal.ts';
import { readState } from './state-file.ts';

/** Checkpoints that may replace the files under one load before it gives up. */
const LOADS_MAX = 10;

export interface JsonSnapshotOptions {
  readonly directory: string;
  readonly collections: readonly Collection[];
  readonly fileSystem?: FileSystem;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

interface Loaded {
  readonly manifest: Manifest;
  readonly memory: Memory;
  readonly journal: SnapshotJournal;
}

/** What a refresh did. */
export interface SnapshotRefresh {
  /** Changes, keys and id marks taken from the journal. */
  readonly replayed: number;
  /** The files could not be followed, and all was loaded anew. */
  readonly reloaded: boolean;
}

/** A read-only view of a JSON store, also beside a process that holds it. */
export class JsonSnapshot extends MemoryReads {
  readonly #options: JsonSnapshotOptions;
  readonly #fileSystem: FileSystem;
  readonly #layout: Layout;
  #loaded: Loaded | undefined;
  #refreshing: Promise<unknown> = Promise.resolve();

  constructor(options: JsonSnapshotOptions) {
    super();
    this.#options = options;
    this.#fileSystem = options.fileSystem ?? realFileSystem;
    this.#layout = layoutOf(options.directory);
  }

  /** The phase part of the manifest, as of the last refresh. */
  get phase(): JsonPhaseState {
    return this.#current().manifest.phase;
  }

  /** `seq` of the last outbox item seen. */
  get head(): number {
    return this.#current().journal.position.seq;
  }

  /** The last batch seen. */
  get batch(): number {
    return this.#current().journal.position.batch;
  }

  /**
   * Takes what was written since the last time, at a cost of what is new; loads everything anew only
   * where the files can't be followed. When it resolves, the snapshot has every write that was
   * acknowledged before the call.
   * @throws {TandemError} `unavailable` when there is no store; `refused-to-open` when it is damaged
   *   or of a newer version
   */
  refresh(): Promise<SnapshotRefresh> {
    const run = this.#refreshing.then(() => this.#refresh());
    this.#refreshing = run.catch(() => {});
    return run;
  }

  async close(): Promise<void> {
    await this.#refreshing;
    await this.#loaded?.journal.close();
    this.#loaded = undefined;
  }

  protected reading(): { readonly memory: Memory; readonly now: number } {
    return { memory: this.#current().memory, now: this.#now() };
  }

  #now(): number {
    return (this.#options.now ?? Date.now)();
  }

  #current(): Loaded {
    if (this.#loaded === undefined) throw new Error('The snapshot is not open.');
    return this.#loaded;
  }

  async #refresh(): Promise<SnapshotRefresh> {
    const { memory, journal, manifest: before } = this.#current();
    const replayedBefore = journal.replayed;
    const manifest = await this.#manifest();
    try {
      if (manifest.storeId !== before.storeId) throw new SnapshotOvertaken('it is another store.');
      await journal.follow(manifest);
      // The holder forgets expired keys at its checkpoints; a long-lived follower must, too.
      if (manifest.checkpoint.number !== before.checkpoint.number) {
        await memory.keys.prune(this.#now());
      }
      this.#loaded = { memory, journal, manifest };
      return { replayed: journal.replayed - replayedBefore, reloaded: false };
    } catch (error) {
      // Damage is told apart from a file that was replaced by looking at all of it once more.
      if (!(error instanceof SnapshotOvertaken || isTandemError(error, 'refused-to-open'))) {
        throw error;
      }
      await this.load();
      return { replayed: this.#current().journal.replayed, reloaded: true };
    }
  }

  /** Called once by `openJsonSnapshot`, then by the refreshes. */
  async load(): Promise<void> {
    for (let loads = 1; ; loads++) {
      const manifest = await this.#manifest();
      const loaded = await this.#tryLoad(manifest, loads === LOADS_MAX);
      if (loaded === undefined) continue;
      await this.#loaded?.journal.close();
      this.#loaded = loaded;
      return;
    }
  }

  /** @returns `undefined` when the files were replaced meanwhile */
  async #tryLoad(manifest: Manifest, isLast: boolean): Promise<Loaded | undefined> {
    const { storeId, checkpoint } = manifest;
    const { number } = checkpoint;
    const memory = new Memory(this.#options.collections);
    const journal = new SnapshotJournal(this.#fileSystem, this.#layout, storeId, memory);
    try {
      const identity = { storeId, number };
      await readState(this.#fileSystem, this.#layout.state(number), identity, memory);
      await journal.follow(manifest);
      return { manifest, memory, journal };
    } catch (error) {
      await journal.close();
      const now = await this.#manifest();
      const replaced =
        now.storeId !== storeId ||
        now.checkpoint.number !== number ||
        segments(now) !== segments(manifest);
      if (!isLast && (replaced || error instanceof SnapshotOvertaken)) return undefined;
      throw error;
    }
  }

  async #manifest(): Promise<Manifest> {
    const manifest = await readManifest(this.#fileSystem, this.#layout);
    if (manifest !== undefined) return manifest;
    const { directory } = this.#options;
    throw new TandemError('unavailable', `There is no JSON store in ${directory} yet.`);
  }
}

const segments = (manifest: Manifest): string =>
  manifest.segments.map(({ number, length }) => `${number}:${length}`).join(' ');

/**
 * Opens a read-only view of the JSON store in a directory, beside whoever holds it. It sees whole
 * batches only; the last one may be a moment short of durable.
 * @throws {TandemError} as {@link JsonSnapshot.refresh}
 */
export async function openJsonSnapshot(options: JsonSnapshotOptions): Promise<JsonSnapshot> {
  const snapshot = new JsonSnapshot(options);
  await snapshot.load();
  return snapshot;
}
