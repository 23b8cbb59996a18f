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
import type { Position } from './segment-scan.ts';
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
  /** The state file held every collection: none can be adopted later, past the journal. */
  readonly holdsAll: boolean;
}

/** Up to where a memory holds a store, and the manifest that was read before that. */
export interface SnapshotPlace {
  readonly manifest: Manifest;
  readonly memory: Memory;
  readonly segment: number;
  readonly position: Position;
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
  #pace: { readonly besideRequests?: boolean } = {};

  /** @param from goes on with a memory instead of loading one; nobody else changes it any more */
  constructor(options: JsonSnapshotOptions, from?: SnapshotPlace) {
    super();
    this.#options = options;
    this.#fileSystem = options.fileSystem ?? realFileSystem;
    this.#layout = layoutOf(options.directory);
    if (from === undefined) return;
    const { manifest, memory, segment, position } = from;
    const { storeId } = manifest;
    const journal = new SnapshotJournal(this.#fileSystem, this.#layout, storeId, memory);
    journal.goOnFrom(segment, position);
    // Whoever closed that store serves on: what it may have to load, it loads beside requests.
    this.#pace = { besideRequests: true };
    this.#loaded = { manifest, memory, journal, holdsAll: true };
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
    return this.#inTurn(() => this.#refresh());
  }

  close(): Promise<undefined> {
    return this.#inTurn(() => this.#close());
  }

  /** One after the other: two that follow the journal at once would replay it twice. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const mine = this.#refreshing.then(run);
    this.#refreshing = mine.catch(() => {});
    return mine;
  }

  async #close(): Promise<undefined> {
    await this.#loaded?.journal.close();
    this.#loaded = undefined;
  }

  /** How far it is; `undefined` where a collection may be adopted that no journal speaks of. */
  get place(): SnapshotPlace | undefined {
    const loaded = this.#loaded;
    if (loaded === undefined || !loaded.holdsAll) return undefined;
    const { manifest, memory, journal } = loaded;
    return { manifest, memory, segment: journal.segment, position: journal.position };
  }

  /**
   * Follows to the end under a manifest that can't change, gives its memory away and closes: readers
   * that come later find it closed, and change nothing of what was given away.
   * @returns `undefined` when the files can't be followed from where it is
   */
  handOver(manifest: Manifest): Promise<SnapshotPlace | undefined> {
    return this.#inTurn(() => this.#handOver(manifest));
  }

  async #handOver(manifest: Manifest): Promise<SnapshotPlace | undefined> {
    try {
      await this.#loaded?.journal.follow(manifest);
      return this.place;
    } catch (error) {
      // Damage is for the recovery to name.
      if (isOvertaken(error)) return undefined;
      throw error;
    } finally {
      await this.#close();
    }
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
    const { memory, journal, holdsAll, manifest: before } = this.#current();
    const replayedBefore = journal.replayed;
    const manifest = await this.#manifest();
    try {
      if (manifest.storeId !== before.storeId) throw new SnapshotOvertaken('it is another store.');
      const isCheckpointed = manifest.checkpoint.number !== before.checkpoint.number;
      if (isCheckpointed && !holdsAll) throw new SnapshotOvertaken('a collection was adopted.');
      await journal.follow(manifest);
      // The holder forgets expired keys at its checkpoints; a long-lived follower must, too.
      if (isCheckpointed) await memory.keys.prune(this.#now());
      this.#loaded = { memory, journal, manifest, holdsAll };
      return { replayed: journal.replayed - replayedBefore, reloaded: false };
    } catch (error) {
      // Damage is told apart from a file that was replaced by looking at all of it once more.
      if (!isOvertaken(error)) throw error;
      await this.load();
      return { replayed: this.#current().journal.replayed, reloaded: true };
    }
  }

  /**
   * Called once by who made it, then by the refreshes.
   * @param pace.besideRequests requests are served meanwhile: it works in slices
   */
  async load(pace: { readonly besideRequests?: boolean } = this.#pace): Promise<void> {
    this.#pace = pace;
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
      const path = this.#layout.state(number);
      const held = await readState(this.#fileSystem, path, identity, memory, this.#pace);
      await journal.follow(manifest);
      const holdsAll = this.#options.collections.every(({ name }) => held.has(name));
      return { manifest, memory, journal, holdsAll };
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

/** What a look at everything settles: the files went on without the reader, or are damaged. */
const isOvertaken = (error: unknown): boolean =>
  error instanceof SnapshotOvertaken || isTandemError(error, 'refused-to-open');

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
