import type { Item } from './changes/index.ts';
import type { StoreName } from './phase/index.ts';

/** When something was done, in ms of `performance.now()`. */
export interface Span {
  readonly startedMs: number;
  readonly endedMs: number;
}

/** Writes that the primary made durable together. */
export interface CommittedBatch extends Span {
  readonly store: StoreName;
  /** JSON: lines of the journal, its commit line left out. PostgreSQL: writes. */
  readonly items: number;
  /** Of them, changes made here by the primary, and not brought here by the queue. */
  readonly written: number;
  /** Bytes appended to the journal; 0 where there is none. */
  readonly bytes: number;
  /** Of those writes that came with a trace. */
  readonly traces: readonly string[];
}

/** Items of the journal that were put into the queue together. */
export interface RelayedBatch extends Span {
  readonly items: readonly Item[];
}

/** Jobs that were applied to the secondary as one bulk write. */
export interface AppliedBatch extends Span {
  readonly direction: StoreName;
  readonly jobs: readonly {
    /** `undefined` for a job that carries none. */
    readonly item: Item | undefined;
    readonly end: 'applied' | 'superseded' | 'failed' | 'hopeless';
  }[];
}

/** A job that failed: it is tried again, or stands as a dead letter. */
export interface FailedJob {
  readonly direction: StoreName;
  /** A stable word, e.g. `rejected`. */
  readonly cause: string;
  readonly isDeadLetter: boolean;
}

/** How a shadow read ended; `lag`: the secondary is behind, or was, which is no mismatch. */
export const SHADOW_READ_ENDS = ['equal', 'lag', 'mismatch', 'dropped', 'failed'] as const;
export type ShadowReadEnd = (typeof SHADOW_READ_ENDS)[number];

/** A sampled read, also done on the secondary. */
export interface ShadowRead {
  readonly collection: string;
  readonly op: 'get' | 'page';
  readonly end: ShadowReadEnd;
  /** Durations by store; of the secondary only if it was asked. */
  readonly seconds: Partial<Record<StoreName, number>>;
}

/** A checkpoint of the JSON store that was tried. */
export interface Checkpointed extends Span {
  readonly isDone: boolean;
}

/** A switch of the primary that was made while requests came in. */
export interface Switched {
  readonly to: StoreName;
  /** From the seal on: until the new primary serves, or, towards JSON, until its lock is let go of. */
  readonly pauseMs: number;
}

/**
 * Port: is told of work once it is done, to measure it and to trace it. Called on the way of every
 * write, so an implementation is quick, keeps nothing of a record, and never throws.
 */
export interface Observer {
  committed(batch: CommittedBatch): void;
  relayed(batch: RelayedBatch): void;
  applied(batch: AppliedBatch): void;
  failed(job: FailedJob): void;
  shadowRead(read: ShadowRead): void;
  checkpointed(checkpoint: Checkpointed): void;
  switched(move: Switched): void;
}

const ignore = (): void => {};

/** Measures nothing. */
export const noObserver: Observer = {
  committed: ignore,
  relayed: ignore,
  applied: ignore,
  failed: ignore,
  shadowRead: ignore,
  checkpointed: ignore,
  switched: ignore,
};
