//   {"date":"2025-12-07", "amount":150.50, "notes":null}
//   Every name is a field's and stands there once; strings have no escapes; no value is an array, an
//   object, true or false.
import type { Collection, Field, FieldValues } from './collection.ts';
import { canonicalDecimal } from './decimal.ts';
import { checkField } from './field-value.ts';
import { COLON, COMMA, OBJECT_END, OBJECT_START, QUOTE } from './json-scanner.ts';

const SPACE = 0x20;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings
const NOT_PLAIN = /[\\\u0000-\u001f]/;
/** As JSON spells a number. */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** What was sent, by the field's place in the definition; `undefined` for what was not. */
type SentValues = readonly (string | null | undefined)[];

/** The fields' names in quotes, made once a collection. */
const quotedNames = new WeakMap<Collection, readonly string[]>();

function namesOf(collection: Collection): readonly string[] {
  const known = quotedNames.get(collection);
  if (known !== undefined) return known;
  const made = collection.fields.map(({ name }) => JSON.stringify(name));
  quotedNames.set(collection, made);
  return made;
}

/**
 * A `POST` body of the usual form, read several times faster than by way of a JSON value.
 * @param text well-formed
 * @returns what `readCreate` makes of it; `undefined` when it is anything but usual, or refused:
 *   `readCreate` then tells
 */
export function readPlainCreate(collection: Collection, text: string): FieldValues | undefined {
  const sent = readPlain(collection, text);
  if (sent === undefined) return undefined;
  const values: Record<string, string | null> = {};
  for (let at = 0; at < sent.length; at++) {
    const { name, required, whenMissing } = collection.fields[at] as Field;
    const value = sent[at];
    if (value === undefined && required) return undefined;
    values[name] = value === undefined ? whenMissing : value;
  }
  return values;
}

/** A `PUT` body of the usual form, as {@link readPlainCreate}; what `readUpdate` makes of it. */
export function readPlainUpdate(collection: Collection, text: string): FieldValues | undefined {
  const sent = readPlain(collection, text);
  if (sent === undefined) return undefined;
  const values: Record<string, string | null> = {};
  for (let at = 0; at < sent.length; at++) {
    const value = sent[at];
    if (value !== undefined) values[(collection.fields[at] as Field).name] = value;
  }
  return values;
}

function readPlain(collection: Collection, text: string): SentValues | undefined {
  if (text.charCodeAt(0) !== OBJECT_START || NOT_PLAIN.test(text)) return undefined;
  const { fields } = collection;
  const names = namesOf(collection);
  const sent: (string | null | undefined)[] = new Array(fields.length).fill(undefined);
  let at = 1;
  for (let next = 0; ; ) {
    at = afterSpaces(text, at);
    const place = placeOf(names, text, at, next);
    if (place === undefined || sent[place] !== undefined) return undefined;
    at = afterSpaces(text, at + (names[place] as string).length);
    if (text.charCodeAt(at) !== COLON) return undefined;
    at = afterSpaces(text, at + 1);
    const end = endOfValue(text, at);
    if (end <= at) return undefined;
    const value = readValue(fields[place] as Field, text, at, end);
    if (value === undefined) return undefined;
    sent[place] = value;
    next = place + 1;
    at = afterSpaces(text, end);
    const after = text.charCodeAt(at++);
    if (after === COMMA) continue;
    return after === OBJECT_END && afterSpaces(text, at) === text.length ? sent : undefined;
  }
}

function afterSpaces(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) === SPACE) at++;
  return at;
}

/** Which field's name stands at `at`; most clients keep to one order, so `next` is looked at first. */
function placeOf(
  names: readonly string[],
  text: string,
  at: number,
  next: number,
): number | undefined {
  for (let tried = 0; tried < names.length; tried++) {
    const place = (next + tried) % names.length;
    if (text.startsWith(names[place] as string, at)) return place;
  }
  return undefined;
}

/** Where the value that begins at `at` ends; not behind `at` when it does not. */
function endOfValue(text: string, at: number): number {
  if (text.charCodeAt(at) === QUOTE) return text.indexOf('"', at + 1) + 1;
  for (let end = at; end < text.length; end++) {
    const unit = text.charCodeAt(end);
    if (unit === COMMA || unit === OBJECT_END || unit === SPACE) return end;
  }
  return at;
}

/** @returns the canonical value; `undefined` when the field has no such value */
function readValue(
  field: Field,
  text: string,
  from: number,
  to: number,
): string | null | undefined {
  if (text.charCodeAt(from) === QUOTE) return checked(field, text.slice(from + 1, to - 1));
  const spelling = text.slice(from, to);
  if (spelling === 'null') return checked(field, null);
  if (field.kind !== 'decimal' || !NUMBER.test(spelling)) return undefined;
  return canonicalDecimal(spelling);
}

function checked(field: Field, value: string | null): string | null | undefined {
  const result = checkField(field, value);
  return 'problem' in result ? undefined : result.value;
}
