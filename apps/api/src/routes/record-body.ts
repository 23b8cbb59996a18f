import {
  type Collection,
  type FieldProblem,
  type FieldValues,
  isExactNumber,
  isJsonObject,
  readCreate,
  readFieldUpdate,
  readPlainCreate,
  readPlainUpdate,
  readUpdate,
} from '@tandem/storage/collections';
import { TandemError } from '@tandem/storage/errors';
import type { FastifyRequest } from 'fastify';
import { invalidRequest } from '../problem.ts';
import { isRecordId } from '../record-id.ts';
import { readJsonText, readRequestJson, requestText } from '../request-json.ts';

/** Ids one bulk deletion may name. */
export const BULK_DELETE_IDS_MAX = 10_000;

const INTEGER = /^-?\d+$/;

const refuse = (errors: readonly FieldProblem[]): never => {
  throw new TandemError('invalid', invalidRequest(errors).detail, { detail: { errors } });
};

/** The body as a value of `parseExact`; `undefined` when there is none. */
const bodyOf = (request: FastifyRequest): unknown =>
  request.body instanceof Buffer && request.body.length > 0
    ? readRequestJson(request.body)
    : undefined;

const READERS = {
  create: { plain: readPlainCreate, any: readCreate },
  update: { plain: readPlainUpdate, any: readUpdate },
} as const;

/** Reads a `POST` or `PUT` body with the collection's own rules. @throws {TandemError} `invalid` */
export function readValues(
  request: FastifyRequest,
  collection: Collection,
  op: 'create' | 'update',
): FieldValues {
  const { body } = request;
  const text = body instanceof Buffer && body.length > 0 ? requestText(body) : undefined;
  const plain = text === undefined ? undefined : READERS[op].plain(collection, text);
  if (plain !== undefined) return plain;
  const sent = text === undefined ? undefined : readJsonText(text);
  const input = READERS[op].any(collection, sent);
  return input.ok ? input.values : refuse(input.problems);
}

/** Reads a `PATCH` body. @throws {TandemError} `invalid`, `not-a-field` */
export function readPatch(request: FastifyRequest, collection: Collection): FieldValues {
  const body = bodyOf(request);
  if (!isJsonObject(body)) return refuse([{ field: 'body', problem: 'must be a JSON object' }]);
  const problems: FieldProblem[] = [];
  if (!Object.hasOwn(body, 'field')) problems.push({ field: 'field', problem: 'is required' });
  else if (typeof body.field !== 'string') {
    problems.push({ field: 'field', problem: 'must be a string' });
  }
  // A missing value is not `null`: a client that forgot it must not empty the field.
  if (!Object.hasOwn(body, 'value')) problems.push({ field: 'value', problem: 'is required' });
  if (problems.length > 0) refuse(problems);
  const name = body.field as string;
  const input = readFieldUpdate(collection, name, body.value);
  if (input === undefined) {
    const fields = collection.fields.map((field) => field.name).join(', ');
    const sentence = `The ${collection.name} has no such field; it has ${fields}.`;
    throw new TandemError('not-a-field', sentence);
  }
  return input.ok ? input.values : refuse(input.problems);
}

/**
 * Reads a bulk deletion's ids. One that no record can have (0, negative, above 2³¹ − 1) is an unknown
 * id like any other: it is skipped.
 * @throws {TandemError} `invalid`
 */
export function readIds(request: FastifyRequest): readonly number[] {
  const body = bodyOf(request);
  if (!isJsonObject(body)) return refuse([{ field: 'body', problem: 'must be a JSON object' }]);
  const ids = Object.hasOwn(body, 'ids') ? body.ids : undefined;
  if (!Array.isArray(ids))
    return refuse([{ field: 'ids', problem: 'must be an array of integers' }]);
  if (ids.length > BULK_DELETE_IDS_MAX) {
    return refuse([{ field: 'ids', problem: `must not be more than ${BULK_DELETE_IDS_MAX}` }]);
  }
  const known: number[] = [];
  for (const [at, id] of ids.entries()) {
    if (!isExactNumber(id) || !INTEGER.test(id.rawJSON)) {
      return refuse([{ field: `ids[${at}]`, problem: 'must be an integer' }]);
    }
    if (isRecordId(id.rawJSON)) known.push(Number(id.rawJSON));
  }
  return known;
}
