import { type Collection, readRecord } from '../collections/index.ts';
import type { StoreReads } from '../store.ts';
import type { VerifyDifference } from './verify-run.ts';

/** Failures that are listed. */
const LISTED_MAX = 20;

/** One thing that would not come back as it is. */
interface ReadinessFailure {
  readonly collection: string;
  readonly id: number;
  /** The field that differs or does not fit; `null`: the whole record. */
  readonly field: string | null;
  readonly class: string;
}

/**
 * How much comes through primary, secondary and primary again unchanged. That both stores read the same
 * canonical text *is* the round trip: what differs, or has no room in the secondary, would not survive it.
 */
export interface RollbackReadiness {
  /** Records and tombstones of the primary. */
  readonly total: number;
  readonly failing: number;
  /** From 0 to 1. */
  readonly share: number;
  /** The first of what fails. */
  readonly first: readonly ReadinessFailure[];
}

export async function readinessOf(
  primary: StoreReads,
  collections: readonly Collection[],
  failing: number,
  listed: readonly VerifyDifference[],
): Promise<RollbackReadiness> {
  let total = 0;
  for (const collection of collections) total += await primary.count(collection);
  const share = total === 0 ? 1 : Math.max(0, total - failing) / total;
  const first = listed
    .filter((one) => one.class !== 'in-flight')
    .flatMap((one) => failuresOf(collections, one));
  return { total, failing, share, first: first.slice(0, LISTED_MAX) };
}

function failuresOf(
  collections: readonly Collection[],
  { subject, class: name, primary, secondary }: VerifyDifference,
): readonly ReadinessFailure[] {
  if ('key' in subject) return [];
  const collection = collections.find((one) => one.name === subject.collection);
  const [ours, theirs] = [primary?.text ?? null, secondary?.text ?? null];
  const fields =
    collection === undefined || ours === null ? [null] : fieldsOf(collection, ours, theirs);
  return fields.map((field) => ({ ...subject, field, class: name }));
}

/** What of a record does not fit, or differs on the other side. Pure. */
function fieldsOf(
  collection: Collection,
  ours: string,
  theirs: string | null,
): readonly (string | null)[] {
  const left = readRecord(collection, ours);
  if (!left.ok) return left.problems.map(({ field }) => field);
  if (theirs === null) return [null];
  const right = readRecord(collection, theirs);
  if (!right.ok) return right.problems.map(({ field }) => field);
  const differing: (string | null)[] = collection.fields
    .map(({ name }) => name)
    .filter((name) => left.values[name] !== right.values[name]);
  if (left.extra !== right.extra) differing.push('unknown fields');
  return differing.length === 0 ? [null] : differing;
}

/** `99.98 % (2 of 10,000 would not come back)`. */
export function describeReadiness({ total, failing, share }: RollbackReadiness): string {
  // Never rounded up to all of them.
  const percent = Math.floor(share * 10_000) / 100;
  if (failing === 0) return `100 % (all ${total.toLocaleString('en')} come back)`;
  return `${percent} % (${failing.toLocaleString('en')} of ${total.toLocaleString('en')} would not come back)`;
}
