import type { Collection } from '../collections/index.ts';
import type { SeenDifference } from './divergence-ledger.ts';
import { type ComparedStores, type Heard, Looks } from './looks.ts';
import { Patience } from './patience.ts';

type Subject = SeenDifference['subject'];

/** What became of subjects that were looked at. */
interface Looked {
  /** They differ for good. */
  readonly found: readonly SeenDifference[];
  readonly agreed: readonly Subject[];
  /** A change of them is on its way, or they don't rest. */
  readonly moving: readonly Subject[];
}

/** Not a state that was seen: the first look never decides. */
const NOT_SEEN_YET = 'not seen yet';

/** Looks at subjects, whatever is known of them, until each is settled or the patience is over. */
export async function lookAt(
  options: ComparedStores & {
    readonly collections: readonly Collection[];
    readonly signal?: AbortSignal;
  },
  subjects: readonly Subject[],
  patienceMs: number,
): Promise<Looked> {
  const looks = new Looks(options, new Patience(patienceMs, options.signal));
  const found: SeenDifference[] = [];
  const agreed: Subject[] = [];
  const moving: Subject[] = [];
  const heard: Heard = {
    found: (difference) => void found.push(difference),
    equal: (subject) => void agreed.push(subject),
    undecided: ({ subject }) => void moving.push(subject),
  };
  for (const collection of options.collections) {
    const candidates = subjects.flatMap((subject) =>
      'key' in subject || subject.collection !== collection.name
        ? []
        : [{ subject: subject.id, primaryState: NOT_SEEN_YET }],
    );
    if (candidates.length > 0) await looks.records(collection, candidates, heard);
  }
  const keys = subjects.flatMap((subject) =>
    'key' in subject ? [{ subject: subject.key, primaryState: NOT_SEEN_YET }] : [],
  );
  if (keys.length > 0) await looks.keys(keys, heard);
  return { found, agreed, moving };
}
