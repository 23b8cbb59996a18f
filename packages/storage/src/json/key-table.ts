import type { KeyItem } from '../changes/index.ts';
import { emptyTree } from './btree.ts';
import { TimeSlice } from './time-slice.ts';

/** Keys live at least 24 h (I10); twice that, so that clocks and late arrivals do not matter. */
const KEY_LIFE_MS = 48 * 60 * 60 * 1000;

/**
 * Orders strings as their UTF-8 bytes do, which is by code point: UTF-16 units do so too, except that
 * surrogates (code points above U+FFFF) come before U+E000 to U+FFFF.
 */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const x = a.charCodeAt(at);
    const y = b.charCodeAt(at);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

const rank = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

export interface KeySnapshot {
  readonly size: number;
  values(): Iterable<KeyItem>;
}

/** Idempotency keys and the outcomes of the writes they named. */
export class KeyTable {
  readonly #keys = emptyTree<string, KeyItem>(compareUtf8);

  get size(): number {
    return this.#keys.size;
  }

  /** The key, unless it has outlived its time. */
  get(key: string, now: number): KeyItem | undefined {
    const found = this.#keys.get(key);
    return found === undefined || isExpired(found, now) ? undefined : found;
  }

  put(item: KeyItem): void {
    this.#keys.set(item.key, item);
  }

  /** Forgets what has outlived its time, in slices: there may be a million keys. */
  async prune(now: number): Promise<void> {
    const slice = new TimeSlice();
    for (const item of this.#keys.clone().values()) {
      // Between two slices an expired key may have been given anew.
      if (isExpired(item, now) && this.#keys.get(item.key) === item) this.#keys.delete(item.key);
      if (slice.isOver()) await slice.next();
    }
  }

  /** Keys above one that still live, in the order of their bytes. */
  scan(afterKey: string, limit: number, now: number): KeyItem[] {
    const found: KeyItem[] = [];
    for (const [key, item] of this.#keys.entries(afterKey === '' ? undefined : afterKey)) {
      if (found.length === limit) break;
      if (key !== afterKey && !isExpired(item, now)) found.push(item);
    }
    return found;
  }

  /** Keys given at an instant or later that still live, a slice's worth at a time. Walks all keys: the
   *  table knows no other order. */
  async *since(fromMs: number, now: number): AsyncGenerator<readonly KeyItem[]> {
    const slice = new TimeSlice();
    let found: KeyItem[] = [];
    for (const item of this.#keys.clone().values()) {
      if (Date.parse(item.at) >= fromMs && !isExpired(item, now)) found.push(item);
      if (!slice.isOver()) continue;
      if (found.length > 0) yield found;
      found = [];
      await slice.next();
    }
    if (found.length > 0) yield found;
  }

  /** All keys as of now, whatever is written while they are read. */
  snapshot(): KeySnapshot {
    const keys = this.#keys.clone();
    return { size: keys.size, values: () => keys.values() };
  }
}

const isExpired = ({ at }: KeyItem, now: number): boolean => now - Date.parse(at) > KEY_LIFE_MS;
