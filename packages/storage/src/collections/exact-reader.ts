import type { ExactNumber } from './exact-json.ts';
import {
  ARRAY_END,
  ARRAY_START,
  COLON,
  COMMA,
  JsonScanner,
  OBJECT_END,
  OBJECT_START,
  QUOTE,
} from './json-scanner.ts';

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
  readonly #scanner: JsonScanner;

  constructor(text: string) {
    this.#scanner = new JsonScanner(
      text,
      (where) => new SyntaxError(`This is not JSON: something is wrong ${where}.`),
    );
  }

  whole(): ExactValue {
    const value = this.#value();
    this.#scanner.end();
    return value;
  }

  #value(): ExactValue {
    switch (this.#scanner.next()) {
      case QUOTE:
        return this.#scanner.string();
      case OBJECT_START:
        return this.#object();
      case ARRAY_START:
        return this.#array();
      default:
        return this.#scanner.scalar();
    }
  }

  #object(): ExactObject {
    const object = new Map<string, ExactValue>();
    this.#scanner.expect(OBJECT_START);
    if (this.#scanner.takes(OBJECT_END)) return object;
    do {
      const name = this.#scanner.string();
      this.#scanner.expect(COLON);
      object.set(name, this.#value());
    } while (this.#scanner.takes(COMMA));
    this.#scanner.expect(OBJECT_END);
    return object;
  }

  #array(): ExactValue[] {
    const array: ExactValue[] = [];
    this.#scanner.expect(ARRAY_START);
    if (this.#scanner.takes(ARRAY_END)) return array;
    do array.push(this.#value());
    while (this.#scanner.takes(COMMA));
    this.#scanner.expect(ARRAY_END);
    return array;
  }
}
