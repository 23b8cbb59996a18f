import type { Stamp } from '../changes/index.ts';
import type { StoreReads } from '../store.ts';
import type { RollbackReadiness } from './rollback-readiness.ts';
import type { DeadLetterFact, VerifyClass, VerifyKind } from './verify-class.ts';

/** One side of a difference: a record's stamp and text, or a key's outcome. */
export interface VerifySide extends Partial<Stamp> {
  /** `null`: a tombstone. */
  readonly text: string | null;
}

/** One difference with both sides; a side that has nothing at all is absent. */
export interface VerifyDifference {
  readonly class: VerifyClass;
  readonly kind: VerifyKind;
  /** Which record, or which idempotency key. */
  readonly subject: { readonly collection: string; readonly id: number } | { readonly key: string };
  readonly primary?: VerifySide;
  readonly secondary?: VerifySide;
  readonly detail?: string;
}

/** Where the primary stood when a run began: all that was written up to there was looked at. */
export interface Watermark {
  readonly epoch: number;
  /** Last item of the JSON store's outbox. */
  readonly outboxSeq: number;
}

/**
 * `clean`: nothing that was there at the watermark differs; a record that went on changing may be in
 * flight, and is decided by whoever compares what changed since. `inconclusive`: nothing is wrong as
 * far as it could be told, but a change stood on its way, unmoved, until the patience was over.
 */
export type VerifyOutcome = 'clean' | 'differences' | 'inconclusive';

export interface VerifyResult {
  /** ISO instants. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly primary: StoreReads['name'];
  readonly mode: VerifyMode;
  readonly watermark: Watermark;
  /** Ids (records and tombstones) and idempotency keys looked at. */
  readonly seen: number;
  readonly keysSeen: number;
  readonly counts: Readonly<Record<VerifyClass, number>>;
  readonly outcome: VerifyOutcome;
  /** Absent when nothing was read: it is as it was. */
  readonly readiness?: RollbackReadiness;
  /** The first of them, those in flight last. */
  readonly differences: readonly VerifyDifference[];
}

/** A finished run. */
export interface VerifyRun extends VerifyResult {
  readonly id: number;
}

/** Everything, or what was written since it was compared last. */
export type VerifyMode = 'full' | 'changed';

/** Where a full run is: all before was looked at. */
export interface VerifyPosition {
  readonly collection: string;
  readonly range: number;
  readonly seen: number;
}

/** What is known of a run when it begins. */
interface BegunRun extends Pick<VerifyResult, 'startedAt' | 'primary' | 'watermark' | 'mode'> {
  /** Whether the secondary is written and complete. Where it is not, the run counts for nobody: no gate,
   *  no schedule, and none goes on where it was cut off. */
  readonly isFollowed: boolean;
}

/** Port: where runs are kept. Implemented in `postgres/`. */
export interface VerifyRuns {
  /** @returns the run's id; one that never finishes was cut off */
  begin(run: BegunRun): Promise<number>;
  /** Where a full run of this primary was cut off lately, if no later one has finished. */
  cutOff(primary: StoreReads['name'], epoch: number): Promise<VerifyPosition | undefined>;
  /** How long ago the last full run of this primary finished in this epoch, in ms; `null` without one. */
  sinceFull(primary: StoreReads['name'], epoch: number): Promise<number | null>;
  /** Up to which instant this primary's keys of this epoch are known to be compared; `null` before that. */
  keysUntil(primary: StoreReads['name'], epoch: number): Promise<string | null>;
  reached(id: number, position: VerifyPosition): Promise<void>;
  /** @param keysUntil as {@link VerifyRuns.keysUntil} has it from now on */
  finish(id: number, result: VerifyResult, keysUntil: string | null): Promise<void>;
}

export interface Explained<Subject> {
  /** A change of it waits in the queue, or a worker has it in hand. */
  readonly pending: ReadonlySet<Subject>;
  readonly deadLetters: ReadonlyMap<Subject, readonly DeadLetterFact[]>;
}

/** Port: what the queue towards the secondary knows of records and keys, as of one moment.
 *  Implemented in `replication/`. */
export interface Explanations {
  ofRecords(collection: string, ids: readonly number[]): Promise<Explained<number>>;
  ofKeys(keys: readonly string[]): Promise<Explained<string>>;
}

/**
 * Port: notes where the primary is now. What it gives says later whether the queue has everything up
 * to there, so that {@link Explanations} speak for it.
 */
export type MarkPosition = () => Promise<() => Promise<boolean>>;

/** For a PostgreSQL primary: its jobs commit with its changes. */
export const alwaysQueued: MarkPosition = async () => async () => true;

/** For a JSON primary: the relay has to pass the journal's head. */
export const queuedByRelay =
  (head: () => Promise<number>, relayed: () => Promise<number>): MarkPosition =>
  async () => {
    const position = await head();
    return async () => (await relayed()) >= position;
  };
