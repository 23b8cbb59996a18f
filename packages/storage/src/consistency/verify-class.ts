import { compareStamps, judge, type Stamp } from '../changes/index.ts';
import { type Collection, readRecord } from '../collections/index.ts';
import type { ScanEntry, StoreReads } from '../store.ts';

/** What explains a difference; `divergent` is what nothing explains. */
export const VERIFY_CLASSES = [
  /** A change on its way, or still moving when the run's patience ended. */
  'in-flight',
  'dead-lettered',
  /** The secondary's table can't hold the record as it is. */
  'mapping-error',
  /** Neither state descends from the other. */
  'fork',
  /** The same stamp with other content: also what an edit by hand in one store looks like. */
  'conflict',
  'divergent',
] as const;

export type VerifyClass = (typeof VERIFY_CLASSES)[number];

/** How the secondary differs from the primary. */
export type VerifyKind = 'missing' | 'extra' | 'different';

/** What a dead letter says about the record or key it carries; a key's has no stamp. */
export interface DeadLetterFact {
  readonly cause: string;
  readonly error: string;
  readonly stamp: Stamp | undefined;
}

/** A difference's name, and the sentence that goes with it. */
export interface Classified {
  readonly class: Exclude<VerifyClass, 'in-flight'>;
  readonly detail?: string;
}

/** One record as both stores have it. */
export interface TwoSides {
  readonly primary: ScanEntry | undefined;
  readonly secondary: ScanEntry | undefined;
}

const isLive = (entry: ScanEntry | undefined): boolean => (entry?.text ?? null) !== null;

/** Whether two sides say different things. A tombstone beside nothing says the same as nothing. */
export function differs({ primary, secondary }: TwoSides): boolean {
  if (primary === undefined || secondary === undefined) return isLive(primary ?? secondary);
  return compareStamps(primary, secondary) !== 0 || primary.text !== secondary.text;
}

export function kindOf({ primary, secondary }: TwoSides): VerifyKind {
  if (isLive(primary) === isLive(secondary)) return 'different';
  return isLive(primary) ? 'missing' : 'extra';
}

/**
 * Names a difference that was looked at again after the lag had passed, and is no longer on its way.
 * Pure.
 */
export function classify(
  collection: Collection,
  { primary, secondary }: TwoSides,
  into: StoreReads['name'],
  letters: readonly DeadLetterFact[],
): Classified {
  if (into === 'postgres' && primary !== undefined && primary.text !== null) {
    const read = readRecord(collection, primary.text);
    if (!read.ok) {
      const detail = read.problems.map(({ field, problem }) => `${field} ${problem}`).join(', ');
      return { class: 'mapping-error', detail };
    }
  }
  for (const cause of ['conflict', 'fork'] as const) {
    const letter = letters.find((one) => one.cause === cause);
    if (letter !== undefined) return { class: cause, detail: letter.error };
  }
  if (primary !== undefined) {
    const verdict = judge(asChange(primary), secondary);
    if (verdict === 'conflict' || verdict === 'fork') return { class: verdict };
  }
  const letter = letters.find(
    ({ stamp }) =>
      stamp !== undefined && (secondary === undefined || compareStamps(stamp, secondary) > 0),
  );
  if (letter !== undefined) return { class: 'dead-lettered', detail: letter.error };
  return { class: 'divergent' };
}

/** A state does not tell its base; its predecessor in its own epoch is the latest it can have been. */
const asChange = ({ epoch, version, text }: ScanEntry) => ({
  ...{ epoch, version, record: text },
  base: version === 1 ? null : { epoch, version: version - 1 },
});
