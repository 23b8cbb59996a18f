//   digests of a part's ranges, from both stores ──> equal: all its ids are done
//                                               └──> a range differs: its records, one by one
import type { Collection } from '../collections/index.ts';
import { RANGE_IDS, type RangeDigest, type ScanEntry, type StoreReads } from '../store.ts';
import { type DirtyPart, rangeOf } from './dirty-ranges.ts';
import { stateOf } from './looks.ts';
import type { Candidate } from './second-look.ts';
import { differs } from './verify-class.ts';

/** Ranges of a part: one statement's worth. */
const RANGES_AT_ONCE = 64;
/** Beside writes a part keeps a processor for some milliseconds, not for a tenth of a second. */
const RANGES_BESIDE_WRITES = 2;

type Stores = { readonly primary: StoreReads; readonly secondary: StoreReads };

/** Which ranges of a collection are compared. */
export interface RangeScope {
  /** Everything from this range on; `undefined`: only what is dirty. */
  readonly from: number | undefined;
  readonly dirty: DirtyPart;
  /** Asked before each part: then it is a small one, and the stores are read one after the other, so that
   *  they keep one processor busy and not two. */
  readonly besideWrites: () => boolean;
}

/** A part that was compared. */
export interface ComparedPart {
  /** The range after it. */
  readonly to: number;
  /** Ids that were looked at. */
  readonly seen: number;
  /** Ids on which the stores disagreed, to be looked at again. */
  readonly candidates: readonly Candidate<number>[];
}

/** Compares ranges of a collection, in ascending order. Holds one part in memory. */
export async function* compareRanges(
  stores: Stores,
  collection: Collection,
  { from, dirty, besideWrites }: RangeScope,
): AsyncGenerator<ComparedPart> {
  const isWhole = dirty === 'all';
  const start = isWhole ? 0 : from;
  if (!isWhole) {
    const before = [...dirty].filter((range) => start === undefined || range < start);
    const rangesMax = () => (besideWrites() ? RANGES_BESIDE_WRITES : RANGES_AT_ONCE);
    for (const [first, to] of runsOf(before, rangesMax))
      yield comparePart(stores, collection, { from: first, to, inTurn: besideWrites() });
  }
  if (start === undefined) return;
  for (let at = start; ; ) {
    const inTurn = besideWrites();
    const to = at + (inTurn ? RANGES_BESIDE_WRITES : RANGES_AT_ONCE);
    const part = await comparePart(stores, collection, { from: at, to, inTurn });
    yield part;
    const next = part.seen > 0 ? part.to : await nextRange(stores, collection, part.to);
    if (next === undefined) return;
    at = next;
  }
}

/** Neighbouring ranges together, as many as a part may have by then. */
function* runsOf(
  ranges: readonly number[],
  rangesMax: () => number,
): Generator<[from: number, to: number]> {
  const sorted = ranges.toSorted((a, b) => a - b);
  for (let at = 0; at < sorted.length; ) {
    const from = sorted[at] as number;
    const most = rangesMax();
    let to = from;
    while (sorted[at] === to && to - from < most) {
      at++;
      to++;
    }
    yield [from, to];
  }
}

/** Where there is something again: ids may have wide gaps. */
async function nextRange(
  { primary, secondary }: Stores,
  collection: Collection,
  from: number,
): Promise<number | undefined> {
  const first = async (store: StoreReads) =>
    (await store.scan(collection, from * RANGE_IDS - 1, 1))[0]?.id;
  const ids = [await first(primary), await first(secondary)].filter((id) => id !== undefined);
  return ids.length === 0 ? undefined : rangeOf(Math.min(...ids));
}

async function comparePart(
  stores: Stores,
  collection: Collection,
  { from, to, inTurn }: { readonly from: number; readonly to: number; readonly inTurn: boolean },
): Promise<ComparedPart> {
  const first = stores.primary.digests(collection, from, to);
  if (inTurn) await first;
  const [ours, theirs] = await Promise.all([first, stores.secondary.digests(collection, from, to)]);
  const left = byRange(ours);
  const right = byRange(theirs);
  let seen = 0;
  const candidates: Candidate<number>[] = [];
  for (const range of new Set([...left.keys(), ...right.keys()])) {
    const digest = left.get(range);
    if (digest !== undefined && digest.digest === right.get(range)?.digest) {
      seen += digest.count;
      continue;
    }
    const compared = await compareRecords(stores, collection, range);
    seen += compared.seen;
    candidates.push(...compared.candidates);
  }
  return { to, seen, candidates };
}

const byRange = (digests: readonly RangeDigest[]): ReadonlyMap<number, RangeDigest> =>
  new Map(digests.map((one) => [one.range, one]));

async function compareRecords(
  { primary, secondary }: Stores,
  collection: Collection,
  range: number,
): Promise<Omit<ComparedPart, 'to'>> {
  const after = Math.max(0, range * RANGE_IDS - 1);
  const end = (range + 1) * RANGE_IDS;
  const read = async (store: StoreReads): Promise<ReadonlyMap<number, ScanEntry>> => {
    const found = await store.scan(collection, after, RANGE_IDS);
    return new Map(found.filter(({ id }) => id < end).map((entry) => [entry.id, entry]));
  };
  const [ours, theirs] = await Promise.all([read(primary), read(secondary)]);
  const ids = new Set([...ours.keys(), ...theirs.keys()]);
  const candidates: Candidate<number>[] = [];
  for (const id of ids) {
    const sides = { primary: ours.get(id), secondary: theirs.get(id) };
    if (differs(sides)) candidates.push({ subject: id, primaryState: stateOf(sides.primary) });
  }
  return { seen: ids.size, candidates };
}
