import type { Collection } from '../collections/index.ts';
import { checkField } from '../collections/index.ts';

/** More distinct dates than any collection has; a flood of nonsense dates is not remembered. */
const REMEMBERED_DATES_MAX = 100_000;
const ISO_DAY_LENGTH = 10;

/**
 * Finds a record's date in its canonical text, and shares one string for each day: a million records
 * have a few thousand dates.
 */
export class RecordDates {
  readonly #known = new Map<string, string>();
  readonly #collection: Collection;
  /** How a text starts whose first member is the date, up to the date's first digit. */
  readonly #prefix: string;

  constructor(collection: Collection) {
    this.#collection = collection;
    this.#prefix = `{${JSON.stringify(collection.dateField)}:"`;
  }

  /** The ISO day, or the empty string when the record's date is none: that sorts last. */
  of(text: string): string {
    const end = this.#prefix.length + ISO_DAY_LENGTH;
    if (text.startsWith(this.#prefix) && text[end] === '"') {
      return this.day(text.slice(this.#prefix.length, end));
    }
    const object: Record<string, unknown> = JSON.parse(text);
    const { dateField } = this.#collection;
    const value = Object.hasOwn(object, dateField) ? object[dateField] : undefined;
    return typeof value === 'string' && value.length === ISO_DAY_LENGTH ? this.day(value) : '';
  }

  /** The shared string of a day, or the empty string when it is no calendar date. */
  day(text: string): string {
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const field = this.#collection.fields.find(({ name }) => name === this.#collection.dateField);
    if (field === undefined) throw new Error(`${this.#collection.name} has no date field.`);
    const checked = checkField(field, text);
    const day = 'problem' in checked ? '' : text;
    if (this.#known.size < REMEMBERED_DATES_MAX) this.#known.set(text, day);
    return day;
  }
}
