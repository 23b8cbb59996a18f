import type { KeyItem } from '../changes/index.ts';
import type { StoreReads } from '../store.ts';
import type { Classified, DeadLetterFact } from './verify-class.ts';

type KeyReads = Pick<StoreReads, 'scanKeys'>;

/** Older keys may have expired in one store and not yet in the other; these live in both (I10). */
const COMPARED_AGE_MAX_MS = 24 * 60 * 60 * 1000;
const CHUNK_KEYS = 500;

/** One idempotency key as both stores have it. */
export interface KeySides {
  readonly primary: KeyItem | undefined;
  readonly secondary: KeyItem | undefined;
}

/** A key of one or both stores, and the key after which a scan finds it again. */
export interface KeyPair extends KeySides {
  readonly key: string;
  readonly after: string;
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

/** The key itself, found by a scan from a key below it. */
export async function readKey(
  store: KeyReads,
  key: string,
  after: string,
): Promise<KeyItem | undefined> {
  for await (const item of keysFrom(store, after)) {
    const order = compareBytes(item.key, key);
    if (order === 0) return item;
    if (order > 0) return undefined;
  }
  return undefined;
}

/** Merge-joins the keys of two stores, in the order of their bytes. */
export async function* mergeKeys(primary: KeyReads, secondary: KeyReads): AsyncGenerator<KeyPair> {
  const left = keysFrom(primary, '');
  const right = keysFrom(secondary, '');
  let a = (await left.next()).value;
  let b = (await right.next()).value;
  let after = '';
  while (a !== undefined || b !== undefined) {
    const order = a === undefined ? 1 : b === undefined ? -1 : compareBytes(a.key, b.key);
    const key = (order <= 0 ? a : b)?.key as string;
    yield {
      ...{ key, after },
      primary: order <= 0 ? a : undefined,
      secondary: order >= 0 ? b : undefined,
    };
    after = key;
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
