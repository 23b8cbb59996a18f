import { type ExactNumber, exactNumber } from './exact-json.ts';

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const ARRAY_START = 0x5b;
export const ARRAY_END = 0x5d;
export const OBJECT_START = 0x7b;
export const OBJECT_END = 0x7d;
const BACKSLASH = 0x5c;

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
 * Steps through a JSON text (RFC 8259): what a reader of its own kind is made of. What objects and
 * arrays become, and what is refused beyond the grammar, is the reader's.
 */
export class JsonScanner {
  readonly #text: string;
  readonly #malformed: (where: string, cause?: unknown) => Error;
  #at = 0;

  /** @param malformed makes the error for a text that is no JSON; `where` says at which place */
  constructor(text: string, malformed: (where: string, cause?: unknown) => Error) {
    this.#text = text;
    this.#malformed = malformed;
  }

  /** The next character that is no blank, as a UTF-16 unit; `NaN` at the end. */
  next(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return code;
      this.#at++;
    }
  }

  /** Steps over a character and the blanks before it, if it is the next. */
  takes(code: number): boolean {
    if (this.next() !== code) return false;
    this.#at++;
    return true;
  }

  /** @throws the reader's error when another character comes next */
  expect(code: number): void {
    if (!this.takes(code)) throw this.#error();
  }

  /** @throws the reader's error when anything but blanks is left */
  end(): void {
    if (!Number.isNaN(this.next())) throw this.#error();
  }

  /** @throws the reader's error when no string comes next */
  string(): string {
    if (this.next() !== QUOTE) throw this.#error();
    const start = this.#at;
    const end = this.#endOfString();
    this.#at = end + 1;
    const plain = this.#text.slice(start + 1, end);
    if (!NOT_PLAIN.test(plain)) return plain;
    try {
      return JSON.parse(this.#text.slice(start, end + 1));
    } catch (cause) {
      this.#at = start;
      throw this.#error(cause);
    }
  }

  /** Where the string that begins here has its closing quote. */
  #endOfString(): number {
    for (let from = this.#at + 1; ; ) {
      const quote = this.#text.indexOf('"', from);
      if (quote === -1) throw this.#error();
      let backslashes = 0;
      while (this.#text.charCodeAt(quote - 1 - backslashes) === BACKSLASH) backslashes++;
      if (backslashes % 2 === 0) return quote;
      from = quote + 1;
    }
  }

  /**
   * A number, as it is spelled, `true`, `false` or `null`.
   * @throws the reader's error when none of them comes next
   */
  scalar(): ExactNumber | boolean | null {
    this.next();
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
    throw this.#error();
  }

  #error(cause?: unknown): Error {
    const inside = this.#at < this.#text.length;
    return this.#malformed(inside ? `at character ${this.#at + 1}` : 'where it ends', cause);
  }
}
