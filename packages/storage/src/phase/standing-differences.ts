import { compareStamps } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import type { CatchUpReport, Difference } from '../consistency/index.ts';
import type { Store } from '../store.ts';

/** What live writes can make of a record between the looks at its two sides. */
const PASSING: readonly Difference['kind'][] = ['ahead', 'extra'];

/**
 * Looks again at what a catch-up under live writes found on the target alone: the source was read
 * first, so a record written in between seems newer there. Once the source is read again it is as new.
 * @returns the differences that stand
 */
export async function standingDifferences(
  source: Store,
  target: Store,
  collections: readonly Collection[],
  report: CatchUpReport,
): Promise<readonly Difference[]> {
  const standing: Difference[] = report.differences.filter(({ kind }) => !PASSING.includes(kind));
  for (const collection of collections) {
    const passing = report.differences.filter(
      (difference) =>
        difference.collection === collection.name && PASSING.includes(difference.kind),
    );
    const ids = passing.map(({ id }) => id);
    const theirs = new Map(
      (await target.entries(collection, ids)).map((entry) => [entry.id, entry]),
    );
    const ours = new Map((await source.entries(collection, ids)).map((entry) => [entry.id, entry]));
    for (const difference of passing) {
      const here = ours.get(difference.id);
      const there = theirs.get(difference.id);
      const explained =
        there === undefined || (here !== undefined && compareStamps(here, there) >= 0);
      if (!explained) standing.push(difference);
    }
  }
  return standing;
}
