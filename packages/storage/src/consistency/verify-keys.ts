import type { KeyItem } from '../changes/index.ts';
import type { StoreReads } from '../store.ts';
import type { Classified, DeadLetterFact } from './verify-class.ts';

type KeyReads = Pick<StoreReads, 'scanKeys'>;

/** Older keys may have expired in one store and not yet in the other; these live in both (I10). */
const COMPARED_AGE_MAX_MS = 24 * 60 * 60 * 1000;
/** A key's instant is of its writer's clock, a run's of another: they may differ by so much. */
const CLOCKS_APART_MS = 5 * 60_000;
const CHUNK_KEYS = 500;

/** One idempotency key as both stores have it. */
export interface KeySides {
  readonly primary: KeyItem | undefined;
  readonly secondary: KeyItem | undefined;
}

/** A key of one or both stores. */
interface KeyPair extends KeySides {
  readonly key: string;
}

/** Whether two sides say different things; one that may have expired says nothing. */
export function keysDiffer({ primary, secondary }: KeySides, now: number): boolean {
  const known = primary ?? secondary;
  if (known === undefined || now - Date.parse(known.at) > COMPARED_AGE_MAX_MS) return false;
  if (primary === undefined || secondary === undefined) return true;
  return primary.fingerprint !== secondary.fingerprint || primary.outcome !== secondary.outcome;
}

/** Names a difference of a key that is no longer on its way. A key never changes. */
export function classifyKey(
  { primary, secondary }: KeySides,
  letters: readonly DeadLetterFact[],
): Classified {
  if (primary !== undefined && secondary !== undefined) return { class: 'conflict' };
  const [letter] = letters;
  if (letter === undefined || primary === undefined) return { class: 'divergent' };
  return { class: 'dead-lettered', detail: letter.error };
}

export const keyStateOf = (item: KeyItem | undefined): string =>
  item === undefined ? '' : `${item.fingerprint} ${item.outcome}`;

type KeyStores = { readonly [S in keyof KeySides]: Pick<StoreReads, 'keys'> };

/** Keys as both stores have them; the secondary is read first, as for records. */
export async function keySidesOf(
  { primary, secondary }: KeyStores,
  keys: readonly string[],
): Promise<readonly KeyPair[]> {
  const right = byKey(await secondary.keys(keys));
  const left = byKey(await primary.keys(keys));
  return keys.map((key) => ({ key, primary: left.get(key), secondary: right.get(key) }));
}

const byKey = (items: readonly KeyItem[]): ReadonlyMap<string, KeyItem> =>
  new Map(items.map((item) => [item.key, item]));

/** The young keys, in ISO: those that came after the last comparison, or all that are promised. One that began
 *  later than now did so by a clock that has been set back, and by which nothing was given since. */
export function youngKeysFrom(keysUntil: string | null, startedAt: string): string {
  const oldestMs = Date.parse(startedAt) - COMPARED_AGE_MAX_MS;
  const isKnown = keysUntil !== null && keysUntil <= startedAt;
  const fromMs = isKnown ? Date.parse(keysUntil) - CLOCKS_APART_MS : oldestMs;
  return new Date(Math.max(fromMs, oldestMs)).toISOString();
}

/** Keys given at an instant or later, as both stores have them: those that only the secondary has are
 *  left to a comparison of all. */
export async function* keysSince(
  { primary, secondary }: { readonly [S in keyof KeySides]: StoreReads },
  since: string,
): AsyncGenerator<KeyPair> {
  for await (const items of primary.keysSince(since)) {
    const theirs = byKey(await secondary.keys(items.map(({ key }) => key)));
    for (const item of items) {
      yield { key: item.key, primary: item, secondary: theirs.get(item.key) };
    }
  }
}

/** Merge-joins the keys of two stores, in the order of their bytes. */
export async function* mergeKeys(primary: KeyReads, secondary: KeyReads): AsyncGenerator<KeyPair> {
  const left = keysFrom(primary, '');
  const right = keysFrom(secondary, '');
  let a = (await left.next()).value;
  let b = (await right.next()).value;
  while (a !== undefined || b !== undefined) {
    const order = a === undefined ? 1 : b === undefined ? -1 : compareBytes(a.key, b.key);
    const key = (order <= 0 ? a : b)?.key as string;
    yield {
      key,
      primary: order <= 0 ? a : undefined,
      secondary: order >= 0 ? b : undefined,
    };
    if (order <= 0) a = (await left.next()).value;
    if (order >= 0) b = (await right.next()).value;
  }
}

async function* keysFrom(store: KeyReads, from: string): AsyncGenerator<KeyItem, undefined> {
  let after = from;
  for (;;) {
    const chunk = await store.scanKeys(after, CHUNK_KEYS);
    yield* chunk;
    const last = chunk.at(-1);
    if (last === undefined || chunk.length < CHUNK_KEYS) return undefined;
    after = last.key;
  }
}

const compareBytes = (a: string, b: string): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b));
