import { isJsonObject } from '@tandem/storage/collections';
import type {
  DeadLetterFilter,
  DeadLetterOrder,
  DeadLetterPage,
} from '@tandem/storage/replication';
import { PAGE_LETTERS_MAX } from '@tandem/storage/replication';
import type { FastifyRequest } from 'fastify';
import type { RequestProblem } from '../problem.ts';
import { isAdoptableId } from '../record-id.ts';
import {
  isStorable,
  plainText,
  readInstant,
  readShortText,
  readWholeNumber,
} from './operator-query.ts';
import { askedOf, bodyOf, refuse } from './operator-request.ts';

/** Ids that one filter may name. */
export const IDS_MAX = 1_000;
/** Letters that one request acts upon, at most and when it names no limit: it takes seconds. */
export const ACT_LIMIT_MAX = 20_000;

const FILTER_MEMBERS = [
  ...['direction', 'jobIds', 'collection', 'recordId', 'cause', 'fingerprint'],
  ...['olderThan', 'newerThan', 'contains', 'field'],
];
const PAGE_MEMBERS = ['limit', 'cursor'];
const ORDER_MEMBERS = ['filter', 'all', 'reason', 'actor', 'dryRun', 'expectedCount', 'limit'];

type Members = Readonly<Record<string, unknown>>;

/** A page of a filtered list, from the query. @throws {TandemError} `invalid` */
export function readPage(request: FastifyRequest): {
  readonly filter: DeadLetterFilter;
  readonly page: DeadLetterPage;
} {
  const query = request.query as Members;
  const problems = unknownMembers(query, [...FILTER_MEMBERS, ...PAGE_MEMBERS]);
  const filter = readFilter(query, problems);
  const limit = readWholeNumber('limit', query.limit, PAGE_LETTERS_MAX, problems);
  const cursor = readShortText('cursor', query.cursor, problems);
  if (problems.length > 0) return refuse(problems);
  return { filter, page: given({ limit, cursor }) };
}

/** A filter from the query. @throws {TandemError} `invalid` */
export function readQueryFilter(request: FastifyRequest): DeadLetterFilter {
  const query = request.query as Members;
  const problems = unknownMembers(query, FILTER_MEMBERS);
  const filter = readFilter(query, problems);
  return problems.length > 0 ? refuse(problems) : filter;
}

/**
 * Which letters an act means, who orders it and why. All of them are meant only by saying so; a member
 * that is none of the filter's is refused, as it would narrow nothing.
 * @throws {TandemError} `invalid`
 */
export function readOrder(request: FastifyRequest): {
  readonly filter: DeadLetterFilter;
  readonly order: DeadLetterOrder;
} {
  const body = bodyOf(request);
  const problems = unknownMembers(body, ORDER_MEMBERS);
  const asked = askedOf(request, body, problems);
  const { filter: sent = {}, all = false } = body;
  if (!isJsonObject(sent)) {
    return refuse([...problems, { field: 'filter', problem: 'must be a JSON object' }]);
  }
  problems.push(...unknownMembers(sent, FILTER_MEMBERS));
  const filter = readFilter(sent, problems);
  if (typeof all !== 'boolean' || all === Object.keys(sent).length > 0) {
    problems.push({ field: 'filter', problem: 'must narrow, or all must be true' });
  }
  const expectedCount = readWholeNumber('expectedCount', body.expectedCount, 1e9, problems, 0);
  const limit = readWholeNumber('limit', body.limit, ACT_LIMIT_MAX, problems) ?? ACT_LIMIT_MAX;
  if (problems.length > 0) return refuse(problems);
  return { filter, order: { ...asked, limit, ...given({ expectedCount }) } };
}

const unknownMembers = (members: Members, known: readonly string[]): RequestProblem[] =>
  Object.keys(members)
    .filter((name) => !known.includes(name))
    .map((name) => ({ field: name.slice(0, 64), problem: 'is not known here' }));

function readFilter(members: Members, problems: RequestProblem[]): DeadLetterFilter {
  const { direction, jobIds, recordId, field } = members;
  if (direction !== undefined && direction !== 'postgres' && direction !== 'json') {
    problems.push({ field: 'direction', problem: 'must be postgres or json' });
  }
  const id = recordId === undefined ? undefined : plainText(recordId);
  if (id !== undefined && !isAdoptableId(id)) {
    problems.push({ field: 'recordId', problem: 'must be the id of a record' });
  }
  const text = (name: string) => readShortText(name, members[name], problems);
  return given({
    direction: direction as DeadLetterFilter['direction'],
    jobIds: readIds(jobIds, problems),
    collection: text('collection'),
    recordId: id === undefined ? undefined : Number(id),
    cause: text('cause'),
    fingerprint: text('fingerprint'),
    olderThan: readInstant('olderThan', members.olderThan, problems),
    newerThan: readInstant('newerThan', members.newerThan, problems),
    contains: text('contains'),
    field: readField(field, problems),
  });
}

/** A list, or one text with commas, as a query has it. */
function readIds(value: unknown, problems: RequestProblem[]): readonly string[] | undefined {
  if (value === undefined) return undefined;
  const ids: unknown[] = typeof value === 'string' ? value.split(',') : [value].flat();
  const fits = ids.length <= IDS_MAX && ids.every((one) => typeof one === 'string');
  if (fits) return ids as string[];
  problems.push({ field: 'jobIds', problem: `must be at most ${IDS_MAX} ids` });
  return undefined;
}

/** `{"name": …, "value": …}`, or `name=value`, as a query has it. */
function readField(value: unknown, problems: RequestProblem[]): DeadLetterFilter['field'] {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.indexOf('=') > 0 && isStorable(value)) {
    const at = value.indexOf('=');
    return { name: value.slice(0, at), value: value.slice(at + 1) };
  }
  if (isJsonObject(value) && typeof value.name === 'string') {
    const wanted = plainText(value.value);
    if (wanted !== undefined && isStorable(value.name + wanted)) {
      return { name: value.name, value: wanted };
    }
  }
  problems.push({ field: 'field', problem: 'must be a name and a value' });
  return undefined;
}

/** Without the members that are `undefined`. */
function given<T extends object>(
  members: T,
): { readonly [K in keyof T]?: Exclude<T[K], undefined> } {
  const known = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
