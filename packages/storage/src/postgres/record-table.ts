import { getTableName } from '../collections/drizzle.ts';
import {
  type Collection,
  canonicalText,
  canonicalValues,
  type Field,
  isExactObject,
  readExact,
  readRecord,
  startsOf,
  writeExact,
} from '../collections/index.ts';
import { ID_MAX, type StoredRecord } from '../store.ts';
import type { Row } from './transaction.ts';

//   canonical text ──rowOfText──> row of values ──COPY/INSERT/UPDATE──> table
//   canonical text <─recordOfRow─ known fields' text, extra <───SELECT── table
//
// The one mapper of all collections, built from a definition. Values travel as text both ways:
// nothing passes through a binary float or `jsonb` (I8). The server writes the text of the known
// fields itself: reading it as one value costs a third of reading a column for each.

/** The lowest id that a PostgreSQL `integer` holds. */
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
  /** Select list that `recordOfRow` reads: id, epoch, version, extra, the known fields as text. */
  readonly columns: string;
  /** SQL for the whole canonical text; `extra` as it is spelled in the table. */
  readonly text: string;
  /** Names of all columns, and of all but `id`. */
  readonly names: readonly string[];
  readonly setNames: readonly string[];
  /** `FROM` item `r` that turns a JSON array ($1) of `jsonOfRow` objects into rows. */
  readonly given: string;
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export const isStorableId = (id: number): boolean =>
  Number.isInteger(id) && id >= ID_MIN && id <= ID_MAX;

export function recordTable(collection: Collection): RecordTable {
  const name = getTableName(collection.table);
  const fields = collection.fields.map((field) => ({
    name: quoted(field.name),
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
    text: `(${textOfFields(collection)} || ${REST_OF_TEXT})`,
    columns: `id, epoch, version, extra, ${textOfFields(collection)}`,
    names: ['id', ...setNames],
    setNames,
    given: `json_to_recordset($1::json) AS r(${types.join(', ')})`,
  };
}

const REST_OF_TEXT = `coalesce(',' || substr(extra::text, 2, length(extra::text) - 2), '')
  || ',"id":' || id || '}'`;

/**
 * SQL for the canonical text of the known fields, without its closing brace. PostgreSQL escapes a JSON
 * string exactly as `JSON.stringify` does, and writes a date as its ISO day whatever the session says.
 */
function textOfFields(collection: Collection): string {
  const starts = startsOf(collection);
  const parts = collection.fields.map(({ name, kind }, at) => {
    const column = quoted(name);
    const value = kind === 'decimal' ? `trim_scale(${column})::text` : `to_json(${column})::text`;
    return `${literal(starts[at] as string)} || coalesce(${value}, 'null')`;
  });
  return parts.join(' || ');
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/**
 * The record in a row of `columns`.
 */
export function recordOfRow(row: Row): StoredRecord {
  const [id, epoch, version, extra, known] = row as [number, number, number, string | null, string];
  const compact = extra === null ? null : compactExtra(extra);
  const rest = compact === null ? '' : `,${compact.slice(1, -1)}`;
  return { id, epoch, version, text: `${known}${rest},"id":${id}}` };
}

/** `extra` may have been typed by hand: its spaces do not count, and an empty object is none. */
function compactExtra(text: string): string | null {
  const value = readExact(text);
  if (!isExactObject(value)) throw new Error('extra is not a JSON object.');
  return value.size === 0 ? null : writeExact(value);
}

/** Why a text can't be stored in a collection's table. */
export interface Unstorable {
  readonly reason: string;
}

/** A record's columns. The fields' values are in definition order. */
export interface StorableRow {
  readonly id: number;
  readonly epoch: number;
  readonly version: number;
  /** A compact JSON object, or `null`. */
  readonly extra: string | null;
  readonly values: readonly (string | null)[];
}

/**
 * The row of a canonical text. Checks that reading it will give the same text back, so a mapping
 * error, or a text no store of ours wrote, is never stored as something else.
 */
export function rowOfText(
  { collection }: RecordTable,
  state: StoredRecord,
): StorableRow | Unstorable {
  const { id, epoch, version, text } = state;
  const plain = canonicalValues(collection, text, id);
  if (plain !== undefined) return { id, epoch, version, extra: null, values: plain };
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
  const values = collection.fields.map(({ name }) => read.values[name] ?? null);
  return { id, epoch, version, extra: read.extra, values };
}

/** A row as an object of the array that `given` reads. */
export function jsonOfRow({ collection }: RecordTable, row: StorableRow): string {
  const { id, epoch, version, values } = row;
  const fields = collection.fields.map(
    ({ name }, at) => `,${JSON.stringify(name)}:${JSON.stringify(values[at])}`,
  );
  const extra = row.extra ?? 'null';
  return `{"id":${id},"epoch":${epoch},"version":${version},"extra":${extra}${fields.join('')}}`;
}
