//   byId:   id ──> entry (live or tombstone)     scan, checkpoint
//   byPlace: newest date, highest id (live only) page, list
//   Both are copy-on-write: `clone()` is a snapshot at no cost.
import type { Stamp } from '../changes/index.ts';
import {
  type Collection,
  canonicalValues,
  type FieldProblem,
  readRecord,
} from '../collections/index.ts';
import type { Page, PagePosition, ScanEntry, StoredRecord } from '../store.ts';
import { emptyTree, type Tree, treeOf } from './btree.ts';
import { type Day, dayOf, dayText, RecordDates } from './record-date.ts';

/** One state in memory. Never changed once it is published; a tombstone's text is `null`. */
export interface Entry extends Stamp {
  readonly id: number;
  readonly text: string | null;
  /** 0 for a tombstone and for a date that is none. */
  readonly day: Day;
}

const ascending = (a: number, b: number): number => a - b;

/** Above every id, and with any day below 2 ** 53. */
const ID_LIMIT = 2 ** 31;

/**
 * A record's place in the list: ascending by it is newest date first, then highest id, and what has no
 * date comes last. One number, so that a tree keeps its keys side by side.
 */
const placeOf = (day: Day, id: number): number => -(day * ID_LIMIT + id);

/** An unchanging view of a table, for a list or a checkpoint. */
export interface TableSnapshot {
  readonly collection: Collection;
  readonly byId: Tree<number, Entry>;
  readonly highWater: number;
  readonly misfits: ReadonlySet<number>;
}

/** All states of one collection. */
export class RecordTable {
  readonly collection: Collection;
  readonly #dates: RecordDates;
  readonly #misfits = new Set<number>();
  #byId = emptyTree<number, Entry>(ascending);
  #byPlace = emptyTree<number, Entry>(ascending);
  highWater = 0;

  constructor(collection: Collection) {
    this.collection = collection;
    this.#dates = new RecordDates(collection);
  }

  entry(id: number, { epoch, version }: Stamp, text: string | null): Entry {
    return { id, epoch, version, text, day: text === null ? 0 : this.#dates.of(text) };
  }

  /** Records and tombstones. */
  get size(): number {
    return this.#byId.size;
  }

  get(id: number): Entry | undefined {
    return this.#byId.get(id);
  }

  /** @param fits whether the schema can hold it; one that it can't is a mapping error */
  put(entry: Entry, fits: boolean): void {
    const old = entry.id > this.highWater ? undefined : this.#byId.get(entry.id);
    if (old !== undefined && old.text !== null) this.#byPlace.delete(placeOf(old.day, old.id));
    this.#byId.set(entry.id, entry);
    if (entry.text !== null) this.#byPlace.set(placeOf(entry.day, entry.id), entry);
    if (fits) this.#misfits.delete(entry.id);
    else this.#misfits.add(entry.id);
    if (entry.id > this.highWater) this.highWater = entry.id;
  }

  /** Fills an empty table at once. `entries` are by ascending id. */
  load(entries: Entry[], misfits: Iterable<number>): void {
    if (this.#byId.size > 0) throw new Error(`${this.collection.name} is loaded already.`);
    const ids = entries.map(({ id }) => id);
    this.#byId = treeOf(ids, entries, ascending);
    const days = Map.groupBy(
      entries.filter(({ text }) => text !== null),
      ({ day }) => day,
    );
    const ordered: Entry[] = [];
    for (const day of [...days.keys()].sort((a, b) => b - a)) {
      for (const entry of (days.get(day) ?? []).reverse()) ordered.push(entry);
    }
    const places = ordered.map(({ day, id }) => placeOf(day, id));
    this.#byPlace = treeOf(places, ordered, ascending);
    for (const id of misfits) this.#misfits.add(id);
    this.highWater = Math.max(this.highWater, ids.at(-1) ?? 0);
  }

  /** Whether the schema can hold a record's text. */
  fits(id: number, text: string | null): boolean {
    if (text === null || canonicalValues(this.collection, text, id) !== undefined) return true;
    return readRecord(this.collection, text).ok;
  }

  snapshot(): TableSnapshot {
    const { collection, highWater } = this;
    return { collection, highWater, byId: this.#byId.clone(), misfits: new Set(this.#misfits) };
  }

  /** How many {@link mappingErrors} there are; costs nothing. */
  get mappingErrorCount(): number {
    return this.#misfits.size;
  }

  mappingErrors(): { id: number; problems: readonly FieldProblem[] }[] {
    return [...this.#misfits].sort(ascending).map((id) => {
      const text = this.#byId.get(id)?.text;
      if (text === undefined || text === null) throw new Error(`A misfit without a record: ${id}.`);
      const read = readRecord(this.collection, text);
      return { id, problems: read.ok ? [] : read.problems };
    });
  }

  page(limit: number, after: PagePosition | undefined): Page {
    const records: StoredRecord[] = [];
    const from = after === undefined ? undefined : placeOf(dayOf(after.date), after.id);
    let last: Entry | undefined;
    for (const [place, entry] of this.#byPlace.entries(from)) {
      if (place === from) continue;
      if (records.length === limit && last !== undefined) {
        return { records, next: { date: dayText(last.day), id: last.id } };
      }
      last = entry;
      records.push(storedRecord(entry));
    }
    return { records };
  }

  /** Texts in list order as of now, whatever is written while it is read. */
  *list(chunkLength: number): Generator<readonly string[]> {
    let chunk: string[] = [];
    for (const { text } of this.#byPlace.clone().values()) {
      chunk.push(text as string);
      if (chunk.length === chunkLength) {
        yield chunk;
        chunk = [];
      }
    }
    if (chunk.length > 0) yield chunk;
  }

  scan(afterId: number, limit: number): ScanEntry[] {
    const entries: ScanEntry[] = [];
    for (const [, entry] of this.#byId.entries(afterId + 1)) {
      if (entries.length === limit) break;
      entries.push(scanEntry(entry));
    }
    return entries;
  }
}

export const storedRecord = ({ id, epoch, version, text }: Entry): StoredRecord => {
  if (text === null) throw new Error(`${id} is a tombstone.`);
  return { id, epoch, version, text };
};

export const scanEntry = ({ id, epoch, version, text }: Entry): ScanEntry => ({
  id,
  epoch,
  version,
  text,
});
