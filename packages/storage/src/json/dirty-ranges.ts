import { RANGE_IDS } from '../store.ts';

/** Ranges of a collection, or all of it. */
type Part = Set<number> | 'all';

/**
 * What this opening of the store has changed since it was compared with the other one last; kept in
 * memory alone. A primary's changes are marked durably by the relay; a secondary's where they come from.
 */
export class DirtyRanges {
  #marked = new Map<string, Part>();
  #taken = new Map<string, Part>();
  #takenBy: number | undefined;

  mark(collection: string, id: number): void {
    this.#add(collection, new Set([Math.floor(id / RANGE_IDS)]));
  }

  markAll(collections: Iterable<string>): void {
    for (const name of collections) this.#marked.set(name, 'all');
  }

  /** Everything marked so far, with what an earlier taker never said to be done. */
  async take(runId: number): Promise<ReadonlyMap<string, ReadonlySet<number> | 'all'>> {
    this.#takenBy = runId;
    const marked = this.#marked;
    this.#marked = this.#taken;
    for (const [name, part] of marked) this.#add(name, part);
    this.#taken = this.#marked;
    this.#marked = new Map();
    return new Map([...this.#taken].map(([name, part]) => [name, copyOf(part)]));
  }

  /** Forgets what the run took, unless another has taken it since. */
  async done(runId: number, undecided: ReadonlyMap<string, ReadonlySet<number>>): Promise<void> {
    if (runId === this.#takenBy) this.#taken = new Map();
    for (const [name, ranges] of undecided) this.#add(name, new Set(ranges));
  }

  #add(name: string, part: Part): void {
    const before = this.#marked.get(name);
    if (before === undefined || part === 'all') this.#marked.set(name, part);
    else if (before !== 'all') for (const range of part) before.add(range);
  }
}

const copyOf = (part: Part): ReadonlySet<number> | 'all' => (part === 'all' ? part : new Set(part));
