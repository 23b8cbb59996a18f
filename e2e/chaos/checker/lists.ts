import type { Operation } from '../history.ts';

/**
 * The lists that say something of each record: that it was there, or, above the lowest id of the list,
 * that it was not. A list that had ended before anybody heard of a record says nothing new of it.
 * @param bornMs when each record was first heard of
 */
export function listsByRecord(
  operations: readonly Operation[],
  bornMs: ReadonlyMap<number, number>,
): ReadonlyMap<number, readonly Operation[]> {
  const ids = [...bornMs.keys()].sort((a, b) => a - b);
  const born = ids.map((id) => bornMs.get(id) as number);
  const firstBirthFrom = [...born];
  for (let at = firstBirthFrom.length - 2; at >= 0; at--) {
    const [here, later] = [born[at] as number, firstBirthFrom[at + 1] as number];
    firstBirthFrom[at] = Math.min(here, later);
  }
  const lists = new Map<number, Operation[]>(ids.map((id) => [id, []]));
  for (const operation of operations) {
    const { call, outcome, records = [], endMs } = operation;
    const lowest = records.at(-1)?.id;
    if (call.kind !== 'list' || outcome !== 'ok' || lowest === undefined) continue;
    for (let at = firstAtLeast(ids, lowest); at < ids.length; at++) {
      if ((firstBirthFrom[at] as number) > endMs) break;
      if ((born[at] as number) <= endMs) lists.get(ids[at] as number)?.push(operation);
    }
  }
  return lists;
}

/** Where the first number is that is no less; `ascending.length` when there is none. */
function firstAtLeast(ascending: readonly number[], wanted: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ascending[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
