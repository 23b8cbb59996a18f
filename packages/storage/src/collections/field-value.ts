import type { Field, FieldValues } from './collection.ts';
import { canonicalDecimal } from './decimal.ts';
import { isExactNumber } from './exact-json.ts';

/** Bytes of UTF-8 a text field may hold. */
export const TEXT_BYTES_MAX = 65_536;

/** What is wrong with one field, as a sentence part that follows the field's name. */
export interface FieldProblem {
  readonly field: string;
  readonly problem: string;
}

type Checked = { readonly value: string | null } | { readonly problem: string };

const ISO_DAY = /^(\d{4})-(\d{2})-(\d{2})$/;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const FEBRUARY = 2;

/** Whether the calendar has this day, from year 1 on. `NaN` is no day. */
export function isCalendarDay(year: number, month: number, day: number): boolean {
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1)) return false;
  if (day <= (MONTH_DAYS[month - 1] as number)) return true;
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return month === FEBRUARY && leap && day === 29;
}

function isCalendarDate(text: string): boolean {
  const match = ISO_DAY.exec(text);
  return match !== null && isCalendarDay(Number(match[1]), Number(match[2]), Number(match[3]));
}

function checkText(value: unknown): Checked {
  if (typeof value !== 'string') return { problem: 'must be a string' };
  if (value.includes('\0')) return { problem: 'must not contain the NUL character' };
  if (!value.isWellFormed()) return { problem: 'must not contain a lone surrogate' };
  // UTF-8 needs at most 3 bytes a UTF-16 unit: short strings need no counting.
  if (value.length * 3 > TEXT_BYTES_MAX && Buffer.byteLength(value) > TEXT_BYTES_MAX) {
    return { problem: `must not be longer than ${TEXT_BYTES_MAX} bytes` };
  }
  return { value };
}

function checkDecimal(value: unknown): Checked {
  const spelling = isExactNumber(value) ? value.rawJSON : value;
  const canonical = typeof spelling === 'string' ? canonicalDecimal(spelling.trim()) : undefined;
  if (canonical !== undefined) return { value: canonical };
  return { problem: 'must be a decimal of at most 8 digits before and 2 after the point' };
}

/**
 * Checks one value as it was sent (a value of `parseExact`) and gives its canonical form.
 * `undefined` stands for a missing field.
 */
export function checkField(field: Field, value: unknown): Checked {
  if (value === undefined || value === null) {
    return field.required ? { problem: 'is required' } : { value: field.whenMissing };
  }
  if (field.kind === 'decimal') return checkDecimal(value);
  if (field.kind === 'text') return checkText(value);
  return typeof value === 'string' && isCalendarDate(value)
    ? { value }
    : { problem: 'must be a calendar date such as 2025-12-07' };
}

/** Checks the given fields of a JSON object; own properties only. */
export function checkFields(
  fields: readonly Field[],
  input: Record<string, unknown>,
): { values: FieldValues; problems: readonly FieldProblem[] } {
  const values: Record<string, string | null> = {};
  const problems: FieldProblem[] = [];
  for (const field of fields) {
    const sent = Object.hasOwn(input, field.name) ? input[field.name] : undefined;
    const checked = checkField(field, sent);
    if ('problem' in checked) problems.push({ field: field.name, problem: checked.problem });
    else values[field.name] = checked.value;
  }
  return { values, problems };
}
