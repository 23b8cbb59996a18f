import { compareStamps, type Rewrite, type Stamp } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import type { IdHighWater } from '../store.ts';
import { needsChoice, type SeenDifference } from './divergence-ledger.ts';

/** Whose content counts. */
export type Side = 'primary' | 'secondary';

/** What is done about a difference, or why nothing is. */
export type RepairAct =
  /** The primary's record is written anew. */
  | { readonly act: 'rewrite'; readonly command: Rewrite }
  /** The secondary's extra record gets a tombstone above it. */
  | { readonly act: 'bury'; readonly command: Rewrite }
  /** The secondary's content is written into the primary. */
  | { readonly act: 'take-over'; readonly command: Rewrite }
  /** The key is given to the secondary. */
  | { readonly act: 'give-key'; readonly key: string }
  | { readonly act: 'none'; readonly why: string };

const none = (why: string): RepairAct => ({ act: 'none', why });

/** An id further above every id given is not made the primary's: ids would run out. */
const ID_LEAP_MAX = 1_000_000;

/** What a plan must know of the primary. */
export interface PrimaryFacts {
  /** Of the phase in force: the new version has it. */
  readonly epoch: number;
  /** Highest ids given. */
  readonly given: IdHighWater;
}

export const WAITS_FOR_CHOICE =
  'both sides may count: "tandem divergences resolve" keeps one of them';

/**
 * What mends a difference that stands. Pure.
 * @param keep the operator's choice; without one forks and conflicts wait (I4)
 */
export function planRepair(
  difference: SeenDifference,
  collections: readonly Collection[],
  { epoch, given }: PrimaryFacts,
  keep: Side | null,
): RepairAct {
  const { subject, class: name, kind, primary, secondary } = difference;
  if ('key' in subject) {
    if (kind === 'missing') return { act: 'give-key', key: subject.key };
    return none('a key of the secondary alone, or with another answer, expires by itself');
  }
  const collection = collections.find((one) => one.name === subject.collection);
  if (collection === undefined) return none(`there is no collection ${subject.collection}`);
  if (needsChoice(difference) && keep === null) return none(WAITS_FOR_CHOICE);
  if (name === 'mapping-error' && keep !== 'secondary') {
    return none('the schema can not hold it: correct it (PATCH, PUT) or delete it');
  }
  if (name === 'dead-lettered' && keep === null) {
    return none('it failed on its way: "tandem dead-letters show" says why; redrive or discard it');
  }
  if (subject.id > (given[collection.name] ?? 0) + ID_LEAP_MAX) {
    const highest = given[collection.name] ?? 0;
    return none(
      `its id is far above ${highest}, the highest given, and ids would run out: DELETE it`,
    );
  }
  const stamps = [primary, secondary].filter((side) => isStamp(side));
  const above = stamps.toSorted(compareStamps).at(-1);
  if (above === undefined) return none('neither store has it');
  if (stamps.some((stamp) => stamp.epoch > epoch)) {
    return none(
      `one side is at epoch ${above.epoch}, above the system's (${epoch}): set it lower in psql`,
    );
  }
  const highest = {
    epoch: above.epoch,
    version: Math.max(...stamps.map(({ version }) => version)),
  };
  const rewrite = { op: 'rewrite', collection, id: subject.id, above: highest } as const;
  if (keep === 'secondary') {
    const at = isStamp(primary) && primary.text !== null ? stampOf(primary) : null;
    const instead = { text: secondary?.text ?? null, at };
    return { act: 'take-over', command: { ...rewrite, instead } };
  }
  return { act: kind === 'extra' ? 'bury' : 'rewrite', command: rewrite };
}

const isStamp = <T extends Partial<Stamp>>(side: T | undefined): side is T & Stamp =>
  side?.epoch !== undefined && side.version !== undefined;

const stampOf = ({ epoch, version }: Stamp): Stamp => ({ epoch, version });
