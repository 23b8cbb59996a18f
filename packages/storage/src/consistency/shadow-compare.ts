import { compareStamps } from '../changes/index.ts';
import type { Page, StoredRecord } from '../store.ts';

/** A record that two answers tell differently; `primary` is absent where that one has none. */
export interface ToldDifferently {
  readonly id: number;
  readonly primary: StoredRecord | undefined;
  /** The same version with other content: no lag explains that. */
  readonly isConflict: boolean;
}

export interface Compared {
  readonly differences: readonly ToldDifferently[];
  /** Both have the same records, in another order: the first that stands elsewhere. */
  readonly misplaced?: StoredRecord;
}

/** Compares one record as either store has it. Pure. */
export function compareRecords(
  id: number,
  primary: StoredRecord | undefined,
  secondary: StoredRecord | undefined,
): readonly ToldDifferently[] {
  if (primary === undefined && secondary === undefined) return [];
  if (primary === undefined || secondary === undefined) {
    return [{ id, primary, isConflict: false }];
  }
  const isSameVersion = compareStamps(primary, secondary) === 0;
  if (isSameVersion && primary.text === secondary.text) return [];
  return [{ id, primary, isConflict: isSameVersion }];
}

/** Compares a page as either store has it: records first, then their order. Pure. */
export function comparePages(primary: Page, secondary: Page): Compared {
  const theirs = new Map(secondary.records.map((record) => [record.id, record]));
  const ours = new Map(primary.records.map((record) => [record.id, record]));
  const ids = new Set([...ours.keys(), ...theirs.keys()]);
  const differences = [...ids].flatMap((id) => compareRecords(id, ours.get(id), theirs.get(id)));
  if (differences.length > 0) return { differences };
  const misplaced = primary.records.find(({ id }, at) => secondary.records[at]?.id !== id);
  return misplaced === undefined ? { differences } : { differences, misplaced };
}
