//   new ──follow──> loading ──> following ──follow──> … ──handOver, under the lock──> empty ──follow──> …
//        └ after a store that this process has closed: following at once
import type { Collection } from '../collections/index.ts';
import { isTandemError, sentenceOf } from '../errors.ts';
import { type Log, silentLog } from '../log.ts';
import type { StoreReads } from '../store.ts';
import { type FileSystem, realFileSystem } from './file-system.ts';
import { freshReads } from './fresh-reads.ts';
import { JsonSnapshot, type SnapshotPlace } from './json-snapshot.ts';
import { layoutOf } from './layout.ts';
import type { Manifest } from './manifest.ts';
import type { OpenContext } from './open-context.ts';
import { SeenFiles } from './seen-files.ts';
import { type WarmStart, warmStart } from './warm-start.ts';

/** After a load that failed, e.g. because there is no store yet. */
const RETRY_INTERVAL_MS = 5_000;

export interface WarmFollowerOptions {
  readonly directory: string;
  readonly collections: readonly Collection[];
  readonly log?: Log;
  readonly fileSystem?: FileSystem;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/**
 * Keeps in memory what the holder of a JSON store has, so that this process can take the store over at
 * the cost of what it has not read yet: give it to `openJsonStore`.
 */
export class WarmFollower {
  readonly #options: WarmFollowerOptions;
  readonly #files: SeenFiles;
  #snapshot: JsonSnapshot | undefined;
  #following: Promise<void> | undefined;
  #retryAtMs = 0;
  #closed = false;

  /** @param from where a store of this process ended, if it has just been closed */
  constructor(options: WarmFollowerOptions, from?: SnapshotPlace) {
    const { directory, collections, fileSystem = realFileSystem } = options;
    this.#options = options;
    this.#files = new SeenFiles(fileSystem, layoutOf(directory), collections);
    if (from !== undefined) this.#snapshot = new JsonSnapshot(options, from);
  }

  /** Whether it holds the store's content, as of the last time it followed. */
  get isWarm(): boolean {
    return this.#snapshot !== undefined;
  }

  /** What it holds, each read over what the holder has written up to its call; `undefined` unless warm.
   *  A read that a take-over overtakes fails. */
  get reads(): StoreReads | undefined {
    return this.#snapshot === undefined ? undefined : freshReads(this.#snapshot);
  }

  /** Reads what is new; everything, the first time. One run at a time; never throws. */
  follow(): Promise<void> {
    this.#following ??= this.#follow().finally(() => {
      this.#following = undefined;
    });
    return this.#following;
  }

  async #follow(): Promise<void> {
    if (this.#closed || performance.now() < this.#retryAtMs) return;
    try {
      if (this.#snapshot === undefined) await this.#load();
      else await this.#snapshot.refresh();
      await this.#files.look();
    } catch (error) {
      // Opening says what is wrong with a store; a follower only costs it the time to read it all.
      this.#retryAtMs = performance.now() + RETRY_INTERVAL_MS;
      await this.#empty();
      const level = isTandemError(error, 'unavailable') ? 'debug' : 'warn';
      const sentence = 'The JSON store can not be followed at the moment; it is tried again.';
      (this.#options.log ?? silentLog)[level]({ error: sentenceOf(error) }, sentence);
    }
  }

  async #load(): Promise<void> {
    const snapshot = new JsonSnapshot(this.#options);
    await snapshot.load({ besideRequests: true });
    this.#snapshot = snapshot;
  }

  /** For the opening store, which holds the lock. Nothing is left here. */
  async handOver(context: OpenContext, manifest: Manifest): Promise<WarmStart | undefined> {
    // A load that has begun is done sooner than another one.
    await this.#following;
    const snapshot = this.#snapshot;
    this.#snapshot = undefined;
    return snapshot === undefined ? undefined : warmStart(context, manifest, snapshot, this.#files);
  }

  /** Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#following;
    await this.#empty();
  }

  async #empty(): Promise<void> {
    const snapshot = this.#snapshot;
    this.#snapshot = undefined;
    await snapshot?.close();
  }
}
