import { type ExactNumber, exactNumber } from './exact-json.ts';

/**
 * A JSON object with its members in the order they were written in. A JavaScript object would put names
 * that look like integers first, and over a name that ends with a backslash `JSON.parse` may take the
 * shape of an object it saw before for this one's (V8 13.6): `{"a":1," d\\\"":2}` after
 * `{"a":1," d\\\\":1}` has the wrong name.
 */
export type ExactObject = ReadonlyMap<string, ExactValue>;
export type ExactValue =
  | ExactObject
  | readonly ExactValue[]
  | ExactNumber
  | string
  | boolean
  | null;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OBJECT_START = 0x7b;
const ARRAY_START = 0x5b;

const BLANKS = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** A string with one of these is read by `JSON.parse`, which knows escapes and refuses the rest. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them in strings
const NOT_PLAIN = /[\\\u0000-\u001f]/;
const WORDS = [
  ['true', true],
  ['false', false],
  ['null', null],
] as const;

/**
 * Reads JSON with nothing lost: numbers keep their spelling, members their order. Of a name given twice
 * the last value counts, at the place of the first, as with `JSON.parse`. Recurses: the text nests no
 * deeper than `NESTING_MAX`.
 * @throws {SyntaxError} when it is no JSON
 */
export function readExact(text: string): ExactValue {
  return new Reader(text).whole();
}

export const isExactObject = (value: ExactValue): value is ExactObject => value instanceof Map;

/** Writes a value of {@link readExact} back: compact, as it was spelled. */
export function writeExact(value: ExactValue): string {
  if (value instanceof Map) {
    const members = [...value].map(([name, one]) => `${JSON.stringify(name)}:${writeExact(one)}`);
    return `{${members.join(',')}}`;
  }
  return Array.isArray(value) ? `[${value.map(writeExact).join(',')}]` : JSON.stringify(value);
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): ExactValue {
    const value = this.#value();
    this.#skipBlanks();
    if (this.#at < this.#text.length) throw this.#unexpected();
    return value;
  }

  #value(): ExactValue {
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

  #object(): ExactObject {
    const object = new Map<string, ExactValue>();
    this.#at++;
    if (this.#takes('}')) return object;
    do {
      this.#skipBlanks();
      if (this.#text.charCodeAt(this.#at) !== QUOTE) throw this.#unexpected();
      const name = this.#string();
      this.#expect(':');
      object.set(name, this.#value());
    } while (this.#takes(','));
    this.#expect('}');
    return object;
  }

  #array(): ExactValue[] {
    const array: ExactValue[] = [];
    this.#at++;
    if (this.#takes(']')) return array;
    do array.push(this.#value());
    while (this.#takes(','));
    this.#expect(']');
    return array;
  }

  #string(): string {
    const start = this.#at;
    let end = this.#text.indexOf('"', start + 1);
    while (end >= 0 && this.#isEscaped(end)) end = this.#text.indexOf('"', end + 1);
    if (end < 0) throw this.#unexpected();
    this.#at = end + 1;
    const plain = this.#text.slice(start + 1, end);
    return NOT_PLAIN.test(plain) ? JSON.parse(this.#text.slice(start, end + 1)) : plain;
  }

  #isEscaped(quote: number): boolean {
    let backslashes = 0;
    while (this.#text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
    return backslashes % 2 === 1;
  }

  #scalar(): ExactValue {
    NUMBER.lastIndex = this.#at;
    if (NUMBER.test(this.#text)) {
      const spelling = this.#text.slice(this.#at, NUMBER.lastIndex);
      this.#at = NUMBER.lastIndex;
      return exactNumber(spelling);
    }
    for (const [word, value] of WORDS) {
      if (!this.#text.startsWith(word, this.#at)) continue;
      this.#at += word.length;
      return value;
    }
    throw this.#unexpected();
  }

  #takes(character: string): boolean {
    this.#skipBlanks();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #expect(character: string): void {
    if (!this.#takes(character)) throw this.#unexpected();
  }

  #skipBlanks(): void {
    BLANKS.lastIndex = this.#at;
    BLANKS.test(this.#text);
    this.#at = BLANKS.lastIndex;
  }

  #unexpected(): SyntaxError {
    const where = this.#at < this.#text.length ? `at character ${this.#at + 1}` : 'where it ends';
    return new SyntaxError(`This is not JSON: something is wrong ${where}.`);
  }
}
