import { getTableName } from 'drizzle-orm';
import {
  type Collection,
  canonicalDecimal,
  canonicalText,
  type Field,
  isJsonObject,
  parseExact,
  readRecord,
  stringifyExact,
} from '../collections/index.ts';
import type { StoredRecord } from '../store.ts';
import type { Row } from './transaction.ts';

//   canonical text ──rowOfText──> row of columns ──INSERT/UPDATE──> table
//   canonical text <─recordOfRow─ row of columns <─────SELECT────── table
//
// The one mapper of all collections, built from a definition. Values travel as text both ways:
// nothing passes through a binary float or `jsonb` (I8).

/** Ids a PostgreSQL `integer` holds. */
const ID_MAX = 2_147_483_647;
const ID_MIN = -2_147_483_648;

const SQL_TYPES: Readonly<Record<Field['kind'], string>> = {
  date: 'date',
  text: 'text',
  decimal: 'numeric',
};

/** A collection's table: its names and the parts of statements that depend on its fields. */
export interface RecordTable {
  readonly collection: Collection;
  /** Its name as an SQL identifier, and that as an SQL literal. */
  readonly identifier: string;
  readonly literal: string;
  /** Select list that `recordOfRow` reads: id, epoch, version, extra, then the fields. */
  readonly columns: string;
  /** Names of all columns, and of all but `id`. */
  readonly names: readonly string[];
  readonly setNames: readonly string[];
  /** `FROM` item `r` that turns a JSON array ($1) of `rowOfText` objects into rows. */
  readonly given: string;
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const isStorableId = (id: number): boolean =>
  Number.isInteger(id) && id >= ID_MIN && id <= ID_MAX;

export function recordTable(collection: Collection): RecordTable {
  const name = getTableName(collection.table);
  const fields = collection.fields.map((field) => ({
    name: quoted(field.name),
    // Independent of the session's DateStyle.
    select: field.kind === 'date' ? `to_char(${quoted(field.name)}, 'YYYY-MM-DD')` : undefined,
    type: SQL_TYPES[field.kind],
  }));
  const setNames = ['epoch', 'version', 'extra', ...fields.map((field) => field.name)];
  const types = [
    'id integer, epoch bigint, version bigint, extra json',
    ...fields.map((field) => `${field.name} ${field.type}`),
  ];
  return {
    collection,
    literal: `'${quoted(name).replaceAll("'", "''")}'`,
    identifier: quoted(name),
    columns: ['id, epoch, version, extra', ...fields.map((f) => f.select ?? f.name)].join(', '),
    names: ['id', ...setNames],
    setNames,
    given: `json_to_recordset($1::json) AS r(${types.join(', ')})`,
  };
}

/**
 * The record in a row of `columns`.
 * @throws {Error} when a value can't be one of the field's: the table's types and constraints hold
 *   such values out, so it is an impossible state
 */
export function recordOfRow({ collection }: RecordTable, row: Row): StoredRecord {
  const [id, epoch, version, extra, ...columns] = row as [number, number, number, string | null];
  const values: Record<string, string | null> = {};
  for (const [index, field] of collection.fields.entries()) {
    const value = (columns as (string | null)[])[index] as string | null;
    values[field.name] = field.kind === 'decimal' && value !== null ? decimalOf(value) : value;
  }
  const parts = { values, extra: extra === null ? null : compactExtra(extra) };
  return { id, epoch, version, text: canonicalText(collection, parts, id) };
}

function decimalOf(text: string): string {
  const canonical = canonicalDecimal(text);
  if (canonical === undefined) throw new Error(`${text} is beyond 8 and 2 digits.`);
  return canonical;
}

/** `extra` may have been typed by hand: its spaces do not count, and an empty object is none. */
function compactExtra(text: string): string | null {
  const value = parseExact(text);
  if (!isJsonObject(value)) throw new Error('extra is not a JSON object.');
  return Object.keys(value).length === 0 ? null : stringifyExact(value);
}

/** Why a text can't be stored in a collection's table. */
export interface Unstorable {
  readonly reason: string;
}

/**
 * A row for `given`, as JSON text. Checks that reading it will give the same text back, so a
 * mapping error, or a text no store of ours wrote, is never stored as something else.
 */
export function rowOfText(
  { collection }: RecordTable,
  state: StoredRecord,
): { readonly json: string } | Unstorable {
  const { id, epoch, version, text } = state;
  let read: ReturnType<typeof readRecord>;
  try {
    read = readRecord(collection, text);
  } catch {
    return { reason: `${collection.name} ${id} is not a JSON object` };
  }
  if (!read.ok) {
    const problems = read.problems.map(({ field, problem }) => `${field} ${problem}`).join(', ');
    return { reason: `${collection.name} ${id} does not fit its table: ${problems}` };
  }
  if (canonicalText(collection, read, id) !== text) {
    return { reason: `${collection.name} ${id} is not in its canonical form` };
  }
  const fields = collection.fields.map(
    ({ name }) => `,${JSON.stringify(name)}:${JSON.stringify(read.values[name])}`,
  );
  const extra = read.extra ?? 'null';
  const json = `{"id":${id},"epoch":${epoch},"version":${version},"extra":${extra}${fields.join('')}}`;
  return { json };
}
