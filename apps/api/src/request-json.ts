import { isUtf8 } from 'node:buffer';
import { parseExact } from '@tandem/storage/collections';
import { TandemError } from '@tandem/storage/errors';

/** Objects and arrays within each other; the body itself is the first. */
export const NESTING_MAX = 32;
/** Characters of a member's name that an error repeats. */
const NAME_SHOWN_MAX = 64;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const ARRAY_START = 0x5b;
const ARRAY_END = 0x5d;
const OBJECT_START = 0x7b;
const OBJECT_END = 0x7d;

const refuse = (field: string, problem: string): TandemError =>
  new TandemError('invalid', `${field} ${problem}.`, { detail: { errors: [{ field, problem }] } });

/**
 * Reads a request's body: JSON in UTF-8, numbers kept as they are spelled, no name twice in one
 * object. (`JSON.parse` keeps the last of two, other readers the first: a body that means two things
 * is refused.)
 * @returns a value of `parseExact`
 * @throws {TandemError} `malformed` when it is no JSON, `invalid` for nesting and repeated names
 */
export function readRequestJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new TandemError('malformed', 'The body is not UTF-8.');
  const text = bytes.toString();
  const repeated = findRepeatedName(text);
  let value: unknown;
  try {
    value = parseExact(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new TandemError('malformed', `The body is not JSON: ${error.message}`);
  }
  if (repeated !== undefined) throw refuse(repeated.slice(0, NAME_SHOWN_MAX), 'is given twice');
  return value;
}

/**
 * The first member name that an object of the text repeats. One pass over the structure: strings are
 * skipped as a whole, the rest matters only where it opens, closes or separates. What it says about a
 * text that is no JSON has no meaning, but it ends.
 * @throws {TandemError} `invalid` before anything recursive could see a text nested too deeply
 */
function findRepeatedName(text: string): string | undefined {
  /** Names so far of each open object; `null` for an array. */
  const open: (Set<string> | null)[] = [];
  let names: Set<string> | null | undefined;
  let nameComes = false;
  let repeated: string | undefined;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at);
        if (nameComes && names) {
          const name = memberName(text.slice(at, end + 1));
          if (names.has(name)) repeated ??= name;
          names.add(name);
          nameComes = false;
        }
        at = end;
        break;
      }
      case COMMA:
        nameComes = names instanceof Set;
        break;
      case OBJECT_START:
      case ARRAY_START:
        names = text.charCodeAt(at) === OBJECT_START ? new Set() : null;
        nameComes = names !== null;
        if (open.push(names) > NESTING_MAX) {
          throw refuse('body', `must not be nested deeper than ${NESTING_MAX} levels`);
        }
        break;
      case OBJECT_END:
      case ARRAY_END:
        open.pop();
        names = open.at(-1);
        nameComes = false;
        break;
    }
  }
  return repeated;
}

/** Where the string that begins at `start` has its closing quote; the end of an unclosed one. */
function endOfString(text: string, start: number): number {
  for (let from = start + 1; ; ) {
    const quote = text.indexOf('"', from);
    if (quote === -1) return text.length;
    let backslashes = 0;
    while (text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return quote;
    from = quote + 1;
  }
}

/** The name a quoted spelling stands for: `"\u0061"` is `a`. */
function memberName(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return JSON.parse(quoted);
  } catch {
    // Not JSON: parsing the whole text says so, with the place.
    return quoted;
  }
}
