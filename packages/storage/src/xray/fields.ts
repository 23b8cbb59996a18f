import {
  type Collection,
  isExactObject,
  NESTING_MAX,
  nestsDeeper,
  readExact,
  writeExact,
} from '../collections/index.ts';

/** One field as both stores have it: JSON, numbers as they are spelled; `null` where there is none. */
export interface FieldSides {
  readonly name: string;
  readonly json: string | null;
  readonly postgres: string | null;
  /** `null` while one of the stores can't be read. */
  readonly differs: boolean | null;
}

type Members = ReadonlyMap<string, string>;

/**
 * Two texts of a record field by field: the known fields in their order, then what else either has.
 * Pure.
 * @param sides `null`: a tombstone or nothing; `undefined`: not known
 */
export function fieldsOf(
  collection: Pick<Collection, 'fields'>,
  sides: { readonly json: string | null | undefined; readonly postgres: string | null | undefined },
): readonly FieldSides[] {
  const json = membersOf(sides.json);
  const postgres = membersOf(sides.postgres);
  if (json.size === 0 && postgres.size === 0) return [];
  const known = collection.fields.map(({ name }) => name);
  const names = new Set([...known, ...json.keys(), ...postgres.keys()]);
  const comparable = sides.json !== undefined && sides.postgres !== undefined;
  return [...names].map((name) => {
    const ours = json.get(name) ?? null;
    const theirs = postgres.get(name) ?? null;
    return { name, json: ours, postgres: theirs, differs: comparable ? ours !== theirs : null };
  });
}

/** What can't be taken apart is shown as one. */
function membersOf(text: string | null | undefined): Members {
  if (text === null || text === undefined) return new Map();
  if (nestsDeeper(text, NESTING_MAX)) return new Map([['(whole)', text]]);
  const object = readExact(text);
  if (!isExactObject(object)) return new Map([['(whole)', text]]);
  return new Map([...object].map(([name, value]) => [name, writeExact(value)]));
}
