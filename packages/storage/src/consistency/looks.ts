import type { Stamp } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import type { ScanEntry, StoreReads } from '../store.ts';
import type { SeenDifference } from './divergence-ledger.ts';
import type { Patience } from './patience.ts';
import { type Candidate, lookAgain } from './second-look.ts';
import { classify, differs, kindOf, type TwoSides } from './verify-class.ts';
import { classifyKey, type KeySides, keySidesOf, keyStateOf, keysDiffer } from './verify-keys.ts';
import type { Explanations, MarkPosition } from './verify-run.ts';

/** What a comparison of two stores in use works with. */
export interface ComparedStores {
  readonly primary: StoreReads;
  readonly secondary: StoreReads;
  readonly explanations: Explanations;
  readonly mark: MarkPosition;
  readonly now?: () => Date;
}

/** Told what became of each subject that was looked at. */
export interface Heard {
  found(difference: SeenDifference): void;
  /** A change of it is still on its way.
   *  @param moved the primary's state is another than when it was first seen */
  undecided(difference: Omit<SeenDifference, 'class'>, moved: boolean): void;
  /** @param primary the stamp of the primary's record or tombstone, if there is one */
  equal?(subject: SeenDifference['subject'], primary: Stamp | undefined): void;
}

/** Looks at subjects until each is settled (`second-look.ts`). At most the ids of one `entries` call. */
export class Looks {
  readonly #stores: ComparedStores;
  readonly #patience: Patience;

  constructor(stores: ComparedStores, patience: Patience) {
    this.#stores = stores;
    this.#patience = patience;
  }

  async records(
    collection: Collection,
    candidates: readonly Candidate<number>[],
    heard: Heard,
  ): Promise<void> {
    const { secondary, explanations, mark } = this.#stores;
    await lookAgain<number, TwoSides>(candidates, mark, this.#patience, {
      explain: (ids) => explanations.ofRecords(collection.name, ids),
      look: async (ids) => {
        const both = await readBothSides(this.#stores, collection, ids);
        return ids.map((id) => {
          const sides = both.get(id) ?? { primary: undefined, secondary: undefined };
          const primaryState = stateOf(sides.primary);
          return { subject: id, sides, differs: differs(sides), primaryState };
        });
      },
      found: ({ subject: id, sides }, { deadLetters }) => {
        const named = classify(collection, sides, secondary.name, deadLetters.get(id) ?? []);
        heard.found({ ...recordDifference(collection, id, sides), ...named });
      },
      equal: ({ subject: id, sides }) =>
        heard.equal?.({ collection: collection.name, id }, sides.primary),
      undecided: ({ subject: id, sides }, moved) =>
        heard.undecided(recordDifference(collection, id, sides), moved),
    });
  }

  async keys(candidates: readonly Candidate<string>[], heard: Heard): Promise<void> {
    const { explanations, mark, now = () => new Date() } = this.#stores;
    await lookAgain<string, KeySides>(candidates, mark, this.#patience, {
      explain: (keys) => explanations.ofKeys(keys),
      look: async (keys) => {
        const both = await keySidesOf(this.#stores, keys);
        return both.map(({ key, ...sides }) => ({
          ...{ subject: key, sides, differs: keysDiffer(sides, now().getTime()) },
          primaryState: keyStateOf(sides.primary),
        }));
      },
      found: ({ subject: key, sides }, { deadLetters }) =>
        heard.found({
          ...keyDifference(key, sides),
          ...classifyKey(sides, deadLetters.get(key) ?? []),
        }),
      equal: ({ subject: key }) => heard.equal?.({ key }, undefined),
      undecided: ({ subject: key, sides }, moved) =>
        heard.undecided(keyDifference(key, sides), moved),
    });
  }
}

/** Both stores' entries of ids; the secondary's are read first, so that what is seen there is never
 *  ahead of a healthy primary. */
async function readBothSides(
  { primary, secondary }: Pick<ComparedStores, 'primary' | 'secondary'>,
  collection: Collection,
  ids: readonly number[],
): Promise<ReadonlyMap<number, TwoSides>> {
  const right = byId(await secondary.entries(collection, ids));
  const left = byId(await primary.entries(collection, ids));
  return new Map(ids.map((id) => [id, { primary: left.get(id), secondary: right.get(id) }]));
}

const byId = (entries: readonly ScanEntry[]): ReadonlyMap<number, ScanEntry> =>
  new Map(entries.map((entry) => [entry.id, entry]));

/** Tells two states of the primary apart; an edit by hand may have kept the stamp. */
export const stateOf = (entry: (Stamp & { text: string | null }) | undefined): string =>
  entry === undefined ? '' : `${entry.epoch}-${entry.version}-${entry.text ?? ''}`;

function recordDifference(
  { name }: Collection,
  id: number,
  sides: TwoSides,
): Omit<SeenDifference, 'class'> {
  const { primary, secondary } = sides;
  const side = ({ epoch, version, text }: ScanEntry) => ({ epoch, version, text });
  return {
    ...{ kind: kindOf(sides), subject: { collection: name, id } },
    ...(primary === undefined ? {} : { primary: side(primary) }),
    ...(secondary === undefined ? {} : { secondary: side(secondary) }),
  };
}

function keyDifference(
  key: string,
  { primary, secondary }: KeySides,
): Omit<SeenDifference, 'class'> {
  const isBoth = primary !== undefined && secondary !== undefined;
  return {
    kind: isBoth ? 'different' : primary === undefined ? 'extra' : 'missing',
    subject: { key },
    ...(primary === undefined ? {} : { primary: { text: primary.outcome } }),
    ...(secondary === undefined ? {} : { secondary: { text: secondary.outcome } }),
  };
}
