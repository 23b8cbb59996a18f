//   {"date":"2025-12-07","business":null,…,"notes":"…","id":5}
//   └ starts[0]        └ starts[1] …                └ the end
import type { Collection, Field } from './collection.ts';
import { checkField } from './field-value.ts';

/** A decimal as it is spelled canonically; `-0` is none. */
const CANONICAL_DECIMAL = /^(?!-0$)-?(?:0|[1-9]\d{0,7})(?:\.\d?[1-9])?$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON holds none of them unescaped
const CONTROL_CHARACTER = /[\0-\x1f]/;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** What stands before each field's value, made once a collection. */
const starts = new WeakMap<Collection, readonly string[]>();

/** `{"date":`, `,"business":`, … */
export function startsOf(collection: Collection): readonly string[] {
  const known = starts.get(collection);
  if (known !== undefined) return known;
  const made = collection.fields.map(
    ({ name }, at) => `${at === 0 ? '{' : ','}${JSON.stringify(name)}:`,
  );
  starts.set(collection, made);
  return made;
}

/**
 * Reads a canonical text without unknown fields by its shape alone, several times faster than a JSON
 * parser that keeps the numbers' spelling.
 * @returns the fields' values in definition order; `undefined` when the text is anything else, which
 *   `readRecord` then tells
 */
export function canonicalValues(
  collection: Collection,
  text: string,
  id: number,
): readonly (string | null)[] | undefined {
  if (CONTROL_CHARACTER.test(text)) return undefined;
  const { fields } = collection;
  const before = startsOf(collection);
  const values: (string | null)[] = [];
  let at = 0;
  for (const [index, field] of fields.entries()) {
    const start = before[index] as string;
    if (!text.startsWith(start, at)) return undefined;
    at += start.length;
    const end = endOfValue(text, at);
    if (end < 0) return undefined;
    const value = readValue(field, text.slice(at, end));
    if (value === undefined) return undefined;
    values.push(value);
    at = end;
  }
  return text.slice(at) === `,"id":${id}}` ? values : undefined;
}

/** Where the value that begins at `at` ends; negative when it does not, or is an array or object. */
function endOfValue(text: string, at: number): number {
  if (text.charCodeAt(at) !== QUOTE) return text.indexOf(',', at);
  let end = text.indexOf('"', at + 1);
  while (end > 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end < 0 ? end : end + 1;
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
  return backslashes % 2 === 1;
}

/** @returns `undefined` when it is not the canonical spelling of one of the field's values */
function readValue(field: Field, spelling: string): string | null | undefined {
  if (spelling === 'null') return field.required || field.whenMissing !== null ? undefined : null;
  if (field.kind === 'decimal') return CANONICAL_DECIMAL.test(spelling) ? spelling : undefined;
  const sent = stringOf(spelling);
  if (sent === undefined) return undefined;
  const checked = checkField(field, sent);
  return 'problem' in checked ? undefined : checked.value;
}

function stringOf(spelling: string): string | undefined {
  if (spelling.charCodeAt(0) !== QUOTE) return undefined;
  if (!spelling.includes('\\')) return spelling.slice(1, -1);
  try {
    const text: string = JSON.parse(spelling);
    return JSON.stringify(text) === spelling ? text : undefined;
  } catch {
    return undefined; // Not JSON: the exact reader says so in its own words.
  }
}
