import type { Change } from './change.ts';
import type { StoredState } from './guard.ts';
import type { Stamp } from './stamp.ts';

/** How somebody else's edit changed one record: canonical texts, `null` for no record. */
export interface RecordDifference {
  readonly id: number;
  readonly from: string | null;
  readonly to: string | null;
}

/** Ids of an edit that were left as they are. */
export interface LeftDifferences {
  /** The primary's record is not the one that was edited: neither side wins by itself. */
  readonly conflicting: readonly number[];
  /** The primary can't hold what the edit made of the record. */
  readonly unfit: readonly number[];
}

/** Port: the primary, which takes edits made outside of it as changes of its own. Both stores are one. */
export interface EditAdopter {
  /**
   * Takes ids above a mark, never given before; they are not given again (I9).
   * @throws {TandemError} as `Store.write`
   */
  takeIds(collection: string, count: number, above: number): Promise<readonly number[]>;
  /**
   * Makes differences changes of this store, durable, and in the outbox where the phase asks for it
   * (I1, I2). Doing it again changes nothing.
   * @throws {TandemError} as `Store.write`
   */
  adoptDifferences(
    collection: string,
    differences: readonly RecordDifference[],
  ): Promise<LeftDifferences>;
}

/**
 * Computes the change that a difference makes of a record.
 * @param current the record or its tombstone as the primary has it
 * @returns `settled` when the record is what the edit made of it, `conflict` when it is neither that
 *   nor what was edited
 */
export function planDifference(
  collection: string,
  { id, from, to }: RecordDifference,
  current: StoredState | undefined,
  step: { readonly epoch: number; readonly at: string },
): Change | 'settled' | 'conflict' {
  const now = current?.text ?? null;
  if (now === to) return 'settled';
  if (now !== from) return 'conflict';
  const base: Stamp | null =
    current === undefined ? null : { epoch: current.epoch, version: current.version };
  return {
    ...{ collection, id, epoch: step.epoch, version: (base?.version ?? 0) + 1, base },
    op: to === null ? 'delete' : from === null ? 'create' : 'update',
    ...{ record: to, at: step.at },
  };
}
