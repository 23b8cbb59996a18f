import {
  type Collection,
  canonicalText,
  exactNumber,
  isExactObject,
  NESTING_MAX,
  nestsDeeper,
  readExact,
  readRecordObject,
  TEXT_BYTES_MAX,
  writeExact,
} from '../collections/index.ts';
import { compactJson, elementsOf } from './json-elements.ts';
import { dayOf } from './record-date.ts';

/** A number whose spelling `JSON.parse` may not keep: an exponent, or more than 15 digits. */
const INEXACT_NUMBER = /\d[eE][+-]?\d|[\d.]{17}/;
const CENTS = 100;
const INTEGER_LIMIT = 1e8;

export interface LegacyRecord {
  readonly text: string;
  readonly fits: boolean;
}

/**
 * Turns the objects of one legacy file into canonical texts (I8).
 *
 * A million records must not each pass the exact parser. Where no number of the file can lose
 * anything in a float, a plain `JSON.parse` is exact, and a record that has just the known members in
 * order with the right types is canonical as `JSON.stringify` writes it. All others take the exact
 * way, each from its own text; those that nest too deep for it are kept as they were written.
 */
export class LegacyRecords {
  readonly #collection: Collection;
  readonly #source: string;
  readonly #mayBePlain: boolean;
  readonly #names: readonly string[];
  readonly #mayBeDeep: boolean;
  /** Each record's own text; cut when the first one is needed. */
  #elements: readonly string[] | undefined;

  /** @param source the file's text: a JSON array of objects */
  constructor(collection: Collection, source: string) {
    this.#collection = collection;
    this.#source = source;
    this.#mayBePlain = !INEXACT_NUMBER.test(source);
    this.#names = [...collection.fields.map(({ name }) => name), 'id'];
    // The array itself is one level.
    this.#mayBeDeep = nestsDeeper(source, NESTING_MAX + 1);
  }

  read(index: number, object: Record<string, unknown>, id: number): LegacyRecord {
    if (this.#mayBePlain && this.#isCanonical(object)) {
      return { text: JSON.stringify(object), fits: true };
    }
    this.#elements ??= elementsOf(this.#source);
    const element = this.#elements[index];
    if (element === undefined) throw new Error(`The record ${index} is not there.`);
    if (this.#mayBeDeep && nestsDeeper(element, NESTING_MAX)) {
      const text = compactJson(element);
      return {
        text: Object.hasOwn(object, 'id') ? text : `${text.slice(0, -1)},"id":${id}}`,
        fits: false,
      };
    }
    const exact = readExact(element);
    if (!isExactObject(exact)) throw new Error(`The record ${index} is no object.`);
    const read = readRecordObject(this.#collection, exact);
    if (read.ok) return { text: canonicalText(this.#collection, read, id), fits: true };
    const withId = new Map([...exact, ['id', exactNumber(String(id))] as const]);
    return { text: writeExact(withId), fits: false };
  }

  #isCanonical(object: Record<string, unknown>): boolean {
    let position = 0;
    for (const name in object) if (name !== this.#names[position++]) return false;
    if (position !== this.#names.length) return false;
    for (const { name, kind, required, whenMissing } of this.#collection.fields) {
      const value = object[name];
      if (value === null) {
        if (required || whenMissing !== null) return false;
      } else if (kind === 'decimal') {
        if (!isCanonicalNumber(value)) return false;
      } else if (typeof value !== 'string') return false;
      else if (kind === 'date') {
        if (dayOf(value) === 0) return false;
      } else if (!isPlainText(value)) return false;
    }
    return true;
  }
}

/** A number that has at most 8 and 2 digits, and that `JSON.stringify` spells canonically. */
const isCanonicalNumber = (value: unknown): boolean =>
  typeof value === 'number' &&
  Math.abs(value) < INTEGER_LIMIT &&
  Math.round(value * CENTS) / CENTS === value;

const isPlainText = (value: string): boolean =>
  value.length * 3 <= TEXT_BYTES_MAX && !value.includes('\0') && value.isWellFormed();
