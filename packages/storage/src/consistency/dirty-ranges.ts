//   a write marks its range ──> take: a run has it ──> looked at ──> done: forgotten
//                                    └── the run died ──> the next take has it again
import { RANGE_IDS } from '../store.ts';

/** Ranges of a collection (`floor(id / RANGE_IDS)`), or all of it. */
export type DirtyPart = ReadonlySet<number> | 'all';

/** By collection name; one that is missing has none. */
export type DirtySet = ReadonlyMap<string, DirtyPart>;

/**
 * Port: what was written since it was compared last. A mark is durable with its write, or the whole
 * counts as written: nothing is ever taken for compared that was not.
 */
export interface DirtyMarks {
  /** Takes every mark there is for a run, those of runs that died included. What is written afterwards
   *  makes new ones. */
  take(runId: number): Promise<DirtySet>;
  /** Forgets what the run took, but for what it could not decide. */
  done(runId: number, undecided: ReadonlyMap<string, ReadonlySet<number>>): Promise<void>;
}

export const rangeOf = (id: number): number => Math.floor(id / RANGE_IDS);

/** For stores of which one is not written: nothing is taken, so that nothing is forgotten. */
export const noMarks: DirtyMarks = { take: async () => new Map(), done: async () => {} };

/** Marks that are kept in several places. */
export function unitedMarks(places: readonly DirtyMarks[]): DirtyMarks {
  return {
    async take(runId) {
      const united = new Map<string, DirtyPart>();
      for (const place of places) {
        for (const [name, part] of await place.take(runId)) {
          const before = united.get(name);
          const isAll = part === 'all' || before === 'all';
          united.set(name, isAll ? 'all' : new Set([...(before ?? []), ...part]));
        }
      }
      return united;
    },
    // What is undecided needs one mark; the first place is the durable one.
    async done(runId, undecided) {
      for (const [at, place] of places.entries()) {
        await place.done(runId, at === 0 ? undecided : new Map());
      }
    },
  };
}
