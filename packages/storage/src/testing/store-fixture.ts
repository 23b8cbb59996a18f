import { expect } from 'vitest';
import type { Change, Command, Outcome, Stamp } from '../changes/index.ts';
import {
  type Collection,
  type FieldValues,
  loadCollections,
  parseExact,
  readCreate,
  readUpdate,
} from '../collections/index.ts';
import type { PagePosition, ScanEntry, Store, StoredRecord } from '../store.ts';

export { below, pickOf, randomFrom, seedOf, shuffled } from './seeded-random.ts';

const collections = await loadCollections();

function collectionNamed(name: string): Collection {
  const found = collections.find((collection) => collection.name === name);
  if (found === undefined) throw new Error(`There is no collection ${name}.`);
  return found;
}

export const expense = collectionNamed('expense');
export const income = collectionNamed('income');

const SAMPLE = { date: '2025-12-07', category: 'Groceries', amount: 150.5, account: 'Cash' };

/** Values of a creation, from a JSON body over a small sample. Give amounts as strings: they are
 *  spelled exactly. */
export function valuesOf(body: Record<string, unknown> = {}, collection = expense): FieldValues {
  const input = readCreate(collection, parseExact(JSON.stringify({ ...SAMPLE, ...body })));
  if (!input.ok) throw new Error(JSON.stringify(input.problems));
  return input.values;
}

/** Values of an update. */
export function setOf(body: Record<string, unknown>, collection = expense): FieldValues {
  const input = readUpdate(collection, parseExact(JSON.stringify(body)));
  if (!input.ok) throw new Error(JSON.stringify(input.problems));
  return input.values;
}

/** Writes one command without a key. */
export const run = (store: Store, command: Command): Promise<Outcome> => store.write({ command });

/** Creates a record and gives it as it was stored. */
export async function create(
  store: Store,
  body: Record<string, unknown> = {},
  collection = expense,
): Promise<StoredRecord> {
  const values = valuesOf(body, collection);
  const outcome = await run(store, { op: 'create', collection, values });
  if (outcome.kind !== 'created') throw new Error(`Not created: ${JSON.stringify(outcome)}`);
  const { id, epoch, version, text } = outcome;
  return { id, epoch, version, text };
}

/** A canonical expense text, unknown members given as JSON text. */
export const expenseText = (id: number, notes: string, extra = ''): string =>
  `{"date":"2025-12-07","business":null,"category":"Food","amount":12.5,"account":"Cash",` +
  `"currency":"₪","notes":${JSON.stringify(notes)},${extra}"id":${id}}`;

const AT = '2025-12-07T10:00:00.000Z';

/** A change of an expense, as a primary would have made it; `record` is `null` for a deletion. */
export function changeOf(
  id: number,
  stamp: Stamp,
  base: Stamp | null,
  record: string | null,
): Change {
  const op = record === null ? 'delete' : base === null ? 'create' : 'update';
  return { collection: 'expense', id, ...stamp, base, op, record, at: AT };
}

export async function allTexts(store: Store, collection = expense): Promise<string[]> {
  const texts: string[] = [];
  for await (const chunk of store.list(collection)) texts.push(...chunk);
  return texts;
}

/** Every page in turn. Checks that none but the last is short and that there is a last one. */
export async function allPages(
  store: Store,
  limit: number,
  collection = expense,
): Promise<StoredRecord[]> {
  const records: StoredRecord[] = [];
  let after: PagePosition | undefined;
  for (;;) {
    const page = await store.page(collection, after === undefined ? { limit } : { limit, after });
    records.push(...page.records);
    if (page.next === undefined) return records;
    expect(page.records).toHaveLength(limit);
    after = page.next;
  }
}

export async function allEntries(
  store: Store,
  limit = 1_000,
  collection = expense,
): Promise<ScanEntry[]> {
  const entries: ScanEntry[] = [];
  for (;;) {
    const found = await store.scan(collection, entries.at(-1)?.id ?? 0, limit);
    entries.push(...found);
    if (found.length === 0) return entries;
  }
}
