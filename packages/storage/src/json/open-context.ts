import type { Collection } from '../collections/index.ts';
import type { Log } from '../log.ts';
import type { Observer } from '../observer.ts';
import type { FileSystem } from './file-system.ts';
import type { Journal, JournalRoom } from './journal.ts';
import type { Layout } from './layout.ts';
import type { Manifest } from './manifest.ts';
import type { Memory } from './memory.ts';

/** What opening works with. */
export interface OpenContext {
  readonly fileSystem: FileSystem;
  readonly layout: Layout;
  readonly collections: readonly Collection[];
  readonly log: Log;
  readonly observer: Observer;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly journalRoom: JournalRoom;
}

/** What opening found and did. */
export interface RecoveryReport {
  /** The store was made by this open, from legacy files if `adopted`. */
  readonly created: boolean;
  readonly adopted: boolean;
  /** Ids given to adopted records that had none, by collection name. */
  readonly idsGiven: Readonly<Record<string, readonly number[]>>;
  /** Changes, keys and id marks replayed from the journal. */
  readonly replayed: number;
  /** The memory was a follower's: only what it had not read yet was read. */
  readonly warm: boolean;
  /** A torn tail that was cut off, and where its bytes are kept. */
  readonly torn?: { readonly bytes: number; readonly keptAt: string };
}

/** A store as it was brought back from disk. */
export interface Recovered {
  readonly memory: Memory;
  readonly journal: Journal;
  readonly manifest: Manifest;
  readonly report: RecoveryReport;
  /** Something is known in memory only: a checkpoint must make it durable before the store serves. */
  readonly checkpointNow: boolean;
}
