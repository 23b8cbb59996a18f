import { startsOf } from './canonical-values.ts';
import type { Collection, Field, FieldValues } from './collection.ts';
import { NESTING_MAX, nestsDeeper } from './exact-json.ts';
import {
  type ExactObject,
  type ExactValue,
  isExactObject,
  readExact,
  writeExact,
} from './exact-reader.ts';
import { checkFields, type FieldProblem } from './field-value.ts';

/**
 * Canonical text of a record (I8): the compact JSON object the API answers with.
 *
 *   {"date":"2025-12-07",…known fields in definition order…,"tag":1.0,…unknown fields…,"id":5}
 *
 * Two records are the same when their canonical texts are. A record the schema can't hold (a mapping
 * error) has its own JSON, compact, as its canonical text.
 */

/** `\u0000` or a lone surrogate in compact JSON, not preceded by an escaping backslash. */
const UNSTORABLE_ESCAPE = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/i;

/** A record taken apart. `extra` is the compact JSON object of its unknown fields, or `null`. */
export interface RecordParts {
  readonly values: FieldValues;
  readonly extra: string | null;
}

export type ReadRecord =
  | ({ readonly ok: true } & RecordParts)
  | { readonly ok: false; readonly problems: readonly FieldProblem[] };

export function canonicalText(collection: Collection, parts: RecordParts, id: number): string {
  const { fields } = collection;
  const before = startsOf(collection);
  let text = '';
  for (let at = 0; at < fields.length; at++) {
    const { name, kind } = fields[at] as Field;
    const value = parts.values[name];
    if (value === undefined) throw new Error(`${collection.name} ${id}: no value for ${name}.`);
    text += before[at];
    text += value === null ? 'null' : kind === 'decimal' ? value : JSON.stringify(value);
  }
  if (parts.extra !== null) text += `,${parts.extra.slice(1, -1)}`;
  return `${text},"id":${id}}`;
}

/** Splits a record object into known fields and the rest. */
export function readRecordObject(collection: Collection, object: ExactObject): ReadRecord {
  const unknown = new Map(object);
  const sent: Record<string, ExactValue> = {};
  for (const { name } of collection.fields) {
    const value = object.get(name);
    if (value !== undefined) sent[name] = value;
    unknown.delete(name);
  }
  unknown.delete('id');
  const { values, problems } = checkFields(collection.fields, sent);
  if (problems.length > 0) return { ok: false, problems };
  if (unknown.size === 0) return { ok: true, values, extra: null };
  const extra = writeExact(unknown);
  if (UNSTORABLE_ESCAPE.test(extra)) {
    const problem = 'must not contain NUL or a lone surrogate';
    return { ok: false, problems: [{ field: 'unknown fields', problem }] };
  }
  return { ok: true, values, extra };
}

/** Nothing can be set in such a record: it can't be taken apart. It can be deleted. */
const TOO_DEEP = {
  ok: false,
  problems: [
    { field: 'unknown fields', problem: `must not nest deeper than ${NESTING_MAX} levels` },
  ],
} as const;

/**
 * Reads a canonical text back.
 * @throws {SyntaxError} when it is not JSON, {@link TypeError} when it is no object: both mean that
 *   the text does not come from a store
 */
export function readRecord(collection: Collection, text: string): ReadRecord {
  if (nestsDeeper(text, NESTING_MAX)) return TOO_DEEP;
  return readRecordObject(collection, objectOf(collection, text));
}

function objectOf({ name }: Collection, text: string): ExactObject {
  const object = readExact(text);
  if (!isExactObject(object)) throw new TypeError(`Not a record of ${name}: ${text}`);
  return object;
}

/**
 * The record with some fields set, others as they were. Works on a mapping error too: it succeeds
 * when the result fits.
 */
export function withFields(
  collection: Collection,
  text: string,
  id: number,
  set: Readonly<Record<string, string | null>>,
): { ok: true; text: string } | { ok: false; problems: readonly FieldProblem[] } {
  if (nestsDeeper(text, NESTING_MAX)) return TOO_DEEP;
  const object = new Map([...objectOf(collection, text), ...Object.entries(set)]);
  const read = readRecordObject(collection, object);
  if (!read.ok) return read;
  return { ok: true, text: canonicalText(collection, read, id) };
}
