import { isExactNumber } from '@tandem/storage/collections';
import type { RequestProblem } from '../problem.ts';

// Members of an operator's query or body; what is wrong with one is added to `problems`.

/** Characters of a filter's text. */
export const FILTER_LENGTH_MAX = 1_000;

/** A JSON value as the text that a record would be searched for. */
export function plainText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (isExactNumber(value)) return value.rawJSON;
  return value === null || typeof value === 'boolean' ? String(value) : undefined;
}

/** PostgreSQL's text has no NUL and no half of a surrogate pair. */
export const isStorable = (value: string): boolean =>
  value.length <= FILTER_LENGTH_MAX && !value.includes('\0') && value.isWellFormed();

export function readShortText(
  field: string,
  value: unknown,
  problems: RequestProblem[],
): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value !== '' && isStorable(value)) return value;
  problems.push({ field, problem: `must be a text of 1 to ${FILTER_LENGTH_MAX} characters` });
  return undefined;
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})$/;

export function readInstant(
  field: string,
  value: unknown,
  problems: RequestProblem[],
): Date | undefined {
  if (value === undefined) return undefined;
  const at = typeof value === 'string' && INSTANT.test(value) ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(at)) return new Date(at);
  problems.push({ field, problem: 'must be an instant such as 2025-12-07T10:00:00Z' });
  return undefined;
}

export function readWholeNumber(
  field: string,
  value: unknown,
  max: number,
  problems: RequestProblem[],
  min = 1,
): number | undefined {
  if (value === undefined) return undefined;
  const spelling = plainText(value) ?? '';
  const number = /^\d{1,10}$/.test(spelling) ? Number(spelling) : -1;
  if (number >= min && number <= max) return number;
  problems.push({ field, problem: `must be a whole number from ${min} to ${max}` });
  return undefined;
}
