import { isUtf8 } from 'node:buffer';
import { exactNumber } from '@tandem/storage/collections';
import { TandemError } from '@tandem/storage/errors';

/** Objects and arrays within each other; the body itself is the first. */
export const NESTING_MAX = 32;
/** Characters of a member's name that an error repeats. */
const NAME_SHOWN_MAX = 64;

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const ARRAY_START = 0x5b;
const ARRAY_END = 0x5d;
const OBJECT_START = 0x7b;
const OBJECT_END = 0x7d;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** A string with one of these is read by `JSON.parse`, which knows escapes and refuses the rest. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings
const NOT_PLAIN = /[\\\u0000-\u001f]/;
/** A property like any other. */
const OWN = { enumerable: true, writable: true, configurable: true };
const LITERALS: readonly (readonly [string, true | false | null])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];

/**
 * Reads a request's body: JSON in UTF-8 (RFC 8259), as `parseExact` does, and in one pass more than
 * that: no name twice in one object (`JSON.parse` keeps the last of two, other readers the first, so
 * such a body means two things), and no nesting that could exhaust a stack. Faster, too: a reviver
 * with source texts costs seven times a plain parse.
 *
 * @returns a value as of `parseExact`: numbers are kept as they are spelled
 * @throws {TandemError} `malformed` when it is no JSON, `invalid` for nesting and repeated names
 */
export function readRequestJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new TandemError('malformed', 'The body is not UTF-8.');
  return new Reader(bytes.toString()).whole();
}

const refuse = (field: string, problem: string): TandemError =>
  new TandemError('invalid', `${field} ${problem}.`, { detail: { errors: [{ field, problem }] } });

class Reader {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #repeated: string | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): unknown {
    const value = this.#value();
    this.#skipBlanks();
    if (this.#at < this.#text.length) throw this.#malformed();
    // Only now: a text that is no JSON is told as such.
    if (this.#repeated !== undefined) {
      throw refuse(this.#repeated.slice(0, NAME_SHOWN_MAX), 'is given twice');
    }
    return value;
  }

  #value(): unknown {
    this.#skipBlanks();
    switch (this.#text.charCodeAt(this.#at)) {
      case QUOTE:
        return this.#string();
      case OBJECT_START:
        return this.#object();
      case ARRAY_START:
        return this.#array();
      default:
        return this.#scalar();
    }
  }

  /** Steps into an object or array. */
  #open(): void {
    if (++this.#depth > NESTING_MAX) {
      throw refuse('body', `must not be nested deeper than ${NESTING_MAX} levels`);
    }
    this.#at++;
  }

  /** Steps out of one: its end must come here. */
  #close(end: number): void {
    if (!this.#takes(end)) throw this.#malformed();
    this.#depth--;
  }

  /** Whether the object or array just opened has nothing in it. */
  #isEmpty(end: number): boolean {
    this.#skipBlanks();
    return this.#text.charCodeAt(this.#at) === end;
  }

  #object(): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#open();
    let more = !this.#isEmpty(OBJECT_END);
    while (more) {
      this.#skipBlanks();
      if (this.#text.charCodeAt(this.#at) !== QUOTE) throw this.#malformed();
      const name = this.#string();
      if (Object.hasOwn(object, name)) this.#repeated ??= name;
      if (!this.#takes(COLON)) throw this.#malformed();
      const value = this.#value();
      // Assigning it would set the object's prototype.
      if (name === '__proto__') Object.defineProperty(object, name, { ...OWN, value });
      else object[name] = value;
      more = this.#takes(COMMA);
    }
    this.#close(OBJECT_END);
    return object;
  }

  #array(): unknown[] {
    const array: unknown[] = [];
    this.#open();
    let more = !this.#isEmpty(ARRAY_END);
    while (more) {
      array.push(this.#value());
      more = this.#takes(COMMA);
    }
    this.#close(ARRAY_END);
    return array;
  }

  #string(): string {
    const start = this.#at;
    const end = this.#endOfString();
    this.#at = end + 1;
    const plain = this.#text.slice(start + 1, end);
    if (!NOT_PLAIN.test(plain)) return plain;
    try {
      return JSON.parse(this.#text.slice(start, end + 1));
    } catch (cause) {
      this.#at = start;
      throw this.#malformed(cause);
    }
  }

  /** Where the string that begins here has its closing quote. */
  #endOfString(): number {
    for (let from = this.#at + 1; ; ) {
      const quote = this.#text.indexOf('"', from);
      if (quote === -1) throw this.#malformed();
      let backslashes = 0;
      while (this.#text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
      if (backslashes % 2 === 0) return quote;
      from = quote + 1;
    }
  }

  #scalar(): unknown {
    NUMBER.lastIndex = this.#at;
    if (NUMBER.test(this.#text)) {
      const spelling = this.#text.slice(this.#at, NUMBER.lastIndex);
      this.#at = NUMBER.lastIndex;
      return exactNumber(spelling);
    }
    for (const [word, value] of LITERALS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    throw this.#malformed();
  }

  /** Steps over a character and the blanks before it, if it is the next. */
  #takes(code: number): boolean {
    this.#skipBlanks();
    if (this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at++;
    return true;
  }

  #skipBlanks(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at++;
    }
  }

  #malformed(cause?: unknown): TandemError {
    const where =
      this.#at < this.#text.length ? `at character ${this.#at + 1}` : 'where the body ends';
    return new TandemError('malformed', `The body is not JSON: something is wrong ${where}.`, {
      cause,
    });
  }
}
