import type { Change, KeyItem, Outcome, Stamp, Verdict } from '../changes/index.ts';
import type { Collection, FieldValues } from '../collections/index.ts';
import type { ScanEntry } from '../store.ts';
import { expense, income } from './store-fixture.ts';

/** Epoch the stores of a model run are primary in; applied changes are of this one or an older. */
export const MODEL_EPOCH = 5;
const KEY_LIFE_MS = 48 * 60 * 60_000;

/** A state as the model holds it; `values` is `null` for a tombstone. */
interface ModelState extends Stamp {
  readonly values: FieldValues | null;
  /** Unknown members as JSON text, each followed by a comma. */
  readonly extra: string;
}

/** One key with the outcome it remembers. */
export interface ModelKey {
  readonly fingerprint: string;
  readonly outcome: Outcome;
  readonly atMs: number;
}

const bytewise = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));

const newerThan = (a: Stamp, b: Stamp): boolean =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.version > b.version);

/** The text a record of the model must have, spelled out without the stores' own code (I8). */
export function modelText(
  { fields }: Collection,
  values: FieldValues,
  extra: string,
  id: number,
): string {
  const members = fields.map(({ name, kind }) => {
    const value = values[name] ?? null;
    return `"${name}":${kind === 'decimal' ? value : JSON.stringify(value)},`;
  });
  return `{${members.join('')}${extra}"id":${id}}`;
}

/**
 * What a store must hold and answer, as a few maps in memory: the one model of both stores. It says
 * again, in the words of the invariants, what `plan`, `judge` and the stores do.
 */
export class StoreModel {
  readonly collections = [expense, income] as const;
  readonly states = new Map<string, Map<number, ModelState>>(
    this.collections.map(({ name }) => [name, new Map()]),
  );
  readonly keys = new Map<string, ModelKey>();
  /** Highest id known to have been given; a store may have used up more, never fewer (I9). */
  readonly highWater = new Map<string, number>(this.collections.map(({ name }) => [name, 0]));
  /** The clock of the store under test. */
  nowMs = Date.parse('2026-03-01T00:00:00Z');

  of({ name }: Collection): Map<number, ModelState> {
    return this.states.get(name) as Map<number, ModelState>;
  }

  live(collection: Collection, id: number): (ModelState & { values: FieldValues }) | undefined {
    const state = this.of(collection).get(id);
    return state === undefined || state.values === null
      ? undefined
      : { ...state, values: state.values };
  }

  liveIds(collection: Collection): number[] {
    return [...this.of(collection)].filter(([, { values }]) => values !== null).map(([id]) => id);
  }

  put(collection: Collection, id: number, state: ModelState): void {
    this.of(collection).set(id, state);
    this.highWater.set(collection.name, Math.max(this.mark(collection), id));
  }

  mark({ name }: Collection): number {
    return this.highWater.get(name) as number;
  }

  /** A key that still lives. */
  key(key: string): ModelKey | undefined {
    const known = this.keys.get(key);
    return known !== undefined && this.nowMs - known.atMs <= KEY_LIFE_MS ? known : undefined;
  }

  /** What arriving means (I4); carried out. */
  arrive(collection: Collection, change: Change, next: ModelState): Verdict {
    const stored = this.of(collection).get(change.id);
    const verdict = this.#judge(collection, change, stored);
    if (verdict === 'apply') this.put(collection, change.id, next);
    return verdict;
  }

  #judge(collection: Collection, change: Change, stored: ModelState | undefined): Verdict {
    if (stored === undefined) return 'apply';
    if (newerThan(stored, change)) return 'no-op';
    if (!newerThan(change, stored)) {
      return this.#text(collection, change.id, stored) === change.record ? 'no-op' : 'conflict';
    }
    const descends =
      change.base !== null && !newerThan(stored, change.base) && change.version > stored.version;
    return descends ? 'apply' : 'fork';
  }

  /** A key that arrives is kept unless it is known (I10). */
  arriveKey({ key, fingerprint, outcome, at }: KeyItem): Verdict {
    if (this.key(key) !== undefined) return 'no-op';
    this.keys.set(key, { fingerprint, outcome: JSON.parse(outcome), atMs: Date.parse(at) });
    return 'apply';
  }

  #text(collection: Collection, id: number, { values, extra }: ModelState): string | null {
    return values === null ? null : modelText(collection, values, extra, id);
  }

  /** Records and tombstones by id, as a scan gives them. */
  entries(collection: Collection): ScanEntry[] {
    return [...this.of(collection)]
      .sort(([a], [b]) => a - b)
      .map(([id, state]) => {
        const { epoch, version } = state;
        return { id, epoch, version, text: this.#text(collection, id, state) };
      });
  }

  /** Live records in list order: newest date first, then highest id. */
  listed(collection: Collection): (Stamp & { id: number; text: string })[] {
    const dateOf = (id: number): string => this.live(collection, id)?.values.date ?? '';
    return this.liveIds(collection)
      .sort((a, b) => {
        if (dateOf(a) === dateOf(b)) return b - a;
        return dateOf(a) < dateOf(b) ? 1 : -1;
      })
      .map((id) => {
        const { epoch, version, values, extra } = this.live(collection, id) as ModelState;
        const text = modelText(collection, values as FieldValues, extra, id);
        return { id, epoch, version, text };
      });
  }

  /** Living keys as a scan gives them. */
  keyItems(): KeyItem[] {
    return [...this.keys.keys()]
      .filter((key) => this.key(key) !== undefined)
      .sort(bytewise)
      .map((key) => {
        const { fingerprint, outcome, atMs } = this.keys.get(key) as ModelKey;
        const at = new Date(atMs).toISOString();
        return { key, fingerprint, outcome: JSON.stringify(outcome), at };
      });
  }
}
