import { compareStamps } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import type { ScanEntry, StoreReads } from '../store.ts';
import { mergeScans } from './merge-scans.ts';

const SCAN_CHUNK_ITEMS = 2_000;
const LISTED_MAX = 5;

/** States that a secondary has and its primary lacks. */
export interface NewerStates {
  readonly count: number;
  /** The first {@link LISTED_MAX}, e.g. `expense 5`. */
  readonly listed: readonly string[];
}

/**
 * Finds what `target` holds and `source`, its primary, does not: newer states, the same stamp with
 * other content, live records that the source never had. Changes nothing, and may run beside writes
 * and applying: what looks newer is looked up in the source once more, which by then has it.
 */
export async function findNewer(
  source: Pick<StoreReads, 'scan'>,
  target: Pick<StoreReads, 'scan'>,
  collections: readonly Collection[],
): Promise<NewerStates> {
  const listed: string[] = [];
  let count = 0;
  for (const collection of collections) {
    for await (const pair of mergeScans(source, target, collection, SCAN_CHUNK_ITEMS)) {
      const { target: theirs } = pair;
      if (theirs === undefined || holds(pair.source, theirs)) continue;
      const [again] = await source.scan(collection, theirs.id - 1, 1);
      if (holds(again?.id === theirs.id ? again : undefined, theirs)) continue;
      count += 1;
      if (listed.length < LISTED_MAX) listed.push(`${collection.name} ${theirs.id}`);
    }
  }
  return { count, listed };
}

function holds(ours: ScanEntry | undefined, theirs: ScanEntry): boolean {
  // A tombstone of something this side never had takes nothing from anybody.
  if (ours === undefined) return theirs.text === null;
  const order = compareStamps(ours, theirs);
  return order > 0 || (order === 0 && ours.text === theirs.text);
}

/** One phrase for a refusal. */
export function describeNewer({ count, listed }: NewerStates): string {
  const more = count > listed.length ? ` and ${count - listed.length} more` : '';
  return `${count} ${count === 1 ? 'change' : 'changes'} (${listed.join(', ')}${more})`;
}
