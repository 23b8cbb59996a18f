import type { Collection } from '../collections/index.ts';
import { isCalendarDay } from '../collections/index.ts';

const ISO_DAY_LENGTH = 10;
const DASH = 0x2d;
const ZERO = 0x30;

const MONTHS = 12;
const DAYS_MAX = 31;

/**
 * A calendar day as a number that grows with time, 0 for none: a list compares days millions of
 * times, and numbers need no memory of their own. Every month counts 31 days, so it is no count of
 * days, but it is simply turned back.
 */
export type Day = number;

/** The day in ISO form; the empty string for none. */
export function dayText(day: Day): string {
  if (day === 0) return '';
  const months = Math.floor(day / DAYS_MAX);
  const numbers = [
    String(Math.floor(months / MONTHS)).padStart(4, '0'),
    String((months % MONTHS) + 1).padStart(2, '0'),
    String((day % DAYS_MAX) + 1).padStart(2, '0'),
  ];
  return numbers.join('-');
}

/** The number of some digits of a text, or `NaN` when one of them is none. */
function digitsIn(text: string, from: number, to: number): number {
  let value = 0;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** The day that the ten characters from `from` on spell, or 0. */
function dayAt(text: string, from: number): Day {
  if (text.charCodeAt(from + 4) !== DASH || text.charCodeAt(from + 7) !== DASH) return 0;
  const year = digitsIn(text, from, from + 4);
  const month = digitsIn(text, from + 5, from + 7);
  const day = digitsIn(text, from + 8, from + 10);
  if (!isCalendarDay(year, month, day)) return 0;
  return (year * MONTHS + month - 1) * DAYS_MAX + day - 1;
}

/** The day of an ISO date, or 0 when it is none. */
export const dayOf = (text: string): Day => (text.length === ISO_DAY_LENGTH ? dayAt(text, 0) : 0);

/** Finds a record's day in its canonical text. */
export class RecordDates {
  readonly #collection: Collection;
  /** How a text starts whose first member is the date, up to the date's first digit. */
  readonly #prefix: string;

  constructor(collection: Collection) {
    this.#collection = collection;
    this.#prefix = `{${JSON.stringify(collection.dateField)}:"`;
  }

  /** 0 when the record's date is none. */
  of(text: string): Day {
    const from = this.#prefix.length;
    if (text.startsWith(this.#prefix) && text[from + ISO_DAY_LENGTH] === '"') {
      return dayAt(text, from);
    }
    const object: Record<string, unknown> = JSON.parse(text);
    const { dateField } = this.#collection;
    const value = Object.hasOwn(object, dateField) ? object[dateField] : undefined;
    return typeof value === 'string' ? dayOf(value) : 0;
  }
}
