import { isCalendarDay } from '@tandem/storage/collections';
import { TandemError } from '@tandem/storage/errors';
import type { PagePosition } from '@tandem/storage/store';
import { isRecordId } from './record-id.ts';

/** Records a page may have, and has when only a cursor is given. */
export const PAGE_LIMIT_MAX = 1_000;
const PAGE_LIMIT_DEFAULT = 100;

const LIMIT = /^[1-9]\d{0,3}$/;
/** Day or nothing (a record whose date is none), then the id. */
const POSITION = /^((\d{4})-(\d{2})-(\d{2})|)\/(\d{1,10})$/;

export interface PageRequest {
  readonly limit: number;
  readonly after?: PagePosition;
}

/** Opaque to clients: base64url of where the page ended. */
export const cursorOf = ({ date, id }: PagePosition): string =>
  Buffer.from(`${date}/${id}`).toString('base64url');

function readCursor(cursor: unknown): PagePosition | undefined {
  if (typeof cursor !== 'string') return undefined;
  const match = POSITION.exec(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (match === null) return undefined;
  const [, date = '', year, month, day, id = ''] = match;
  // One store would find nothing behind a day that is none, the other refuse it.
  const isDay = date === '' || isCalendarDay(Number(year), Number(month), Number(day));
  if (!isDay || !isRecordId(id)) return undefined;
  const position = { date, id: Number(id) };
  // base64url reading skips what it does not know: only the very text we gave is a cursor.
  return cursorOf(position) === cursor ? position : undefined;
}

const refuse = (field: string, problem: string): never => {
  const detail = { errors: [{ field, problem }] };
  throw new TandemError('invalid', `${field} ${problem}.`, { detail });
};

/**
 * The page a list's query asks for; `undefined` when it asks for the whole list.
 * @throws {TandemError} `invalid`
 */
export function readPageRequest(query: Readonly<Record<string, unknown>>): PageRequest | undefined {
  const { limit, cursor } = query;
  if (limit === undefined && cursor === undefined) return undefined;
  if (limit !== undefined && !(typeof limit === 'string' && LIMIT.test(limit))) refuseLimit();
  const number = limit === undefined ? PAGE_LIMIT_DEFAULT : Number(limit);
  if (number > PAGE_LIMIT_MAX) refuseLimit();
  if (cursor === undefined) return { limit: number };
  const after = readCursor(cursor) ?? refuse('cursor', 'must be one that a page’s Link gave');
  return { limit: number, after };
}

const refuseLimit = (): never => refuse('limit', `must be an integer from 1 to ${PAGE_LIMIT_MAX}`);

/** The page after this one, as a `Link` header (RFC 8288). */
export const nextPageLink = (path: string, limit: number, next: PagePosition): string =>
  `<${path}?limit=${limit}&cursor=${cursorOf(next)}>; rel="next"`;
