import type { Collection } from '@tandem/storage/collections';
import { PAGE_LIMIT_MAX } from '../page-request.ts';
import type { ProblemCode } from '../problem-catalogue.ts';
import { RECORD_ID_MAX } from '../record-id.ts';
import { collectionSchemas, exampleRecord, type JsonSchema, schemaName } from './field-schemas.ts';
import { problemResponses, problemSchema } from './problem-schemas.ts';
import { BULK_DELETE_IDS_MAX } from './record-body.ts';

//  Documentation of the record routes. Nothing here checks a request: the collections do.

/** Schemas that the operations refer to by name. */
export const sharedSchemas = (collections: readonly Collection[]): readonly JsonSchema[] => [
  problemSchema,
  ...collections.flatMap(collectionSchemas),
];

/** What the guard answers before any route does. */
const REFUSALS = ['unauthorized', 'forbidden', 'rate-limited', 'overloaded'] as const;
const READ_PROBLEMS = [
  ...REFUSALS,
  'not-primary',
  'unavailable',
  'storage-failed',
  'internal',
] as const;
const WRITE_PROBLEMS = [
  ...REFUSALS,
  'malformed',
  'too-large',
  'unsupported-media-type',
  'invalid',
  'key-reused',
  'not-primary',
  'unavailable',
  'outcome-unknown',
  'storage-failed',
  'storage-full',
  'internal',
] as const;

const ID = {
  type: 'object',
  required: ['id'],
  properties: { id: { type: 'integer', minimum: 1, maximum: RECORD_ID_MAX, examples: [1] } },
};

const IDEMPOTENCY_KEY = {
  'Idempotency-Key': {
    type: 'string',
    minLength: 1,
    maxLength: 255,
    pattern: '^[\\x21-\\x7e]+$',
    description:
      'Names the write: the same key and body have one effect and the first answer, for at least 24 hours, also after a restart. While the first one is in flight the second waits for its answer. Another body under the same key is 422.',
  },
};
const IF_MATCH = {
  'If-Match': {
    type: 'string',
    description:
      'Entity tags from ETag, e.g. `"1-1"`: the write happens if the record is in one of these states.',
  },
};
/** Of the record in the answer. */
const ETAG = {
  ETag: { type: 'string', description: 'The state of the record, e.g. `"1-1"`.' },
};
const headers = (properties: JsonSchema): JsonSchema => ({ type: 'object', properties });

const ref = (name: string): JsonSchema => ({ $ref: `${name}#` });

/** A 200 answer with its schema and a sample. */
const answer = (
  description: string,
  schema: JsonSchema,
  example: unknown,
  answerHeaders?: JsonSchema,
): JsonSchema => ({
  description,
  ...(answerHeaders === undefined ? {} : { headers: answerHeaders }),
  content: { 'application/json': { schema, example } },
});

const body = (schema: JsonSchema): JsonSchema => ({ content: { 'application/json': { schema } } });

const responses = (ok: JsonSchema, problems: readonly ProblemCode[], more: object = {}) => ({
  200: ok,
  ...more,
  ...problemResponses(problems),
});

/** `{"status": …, "expense": {…}}` */
function written(collection: Collection, status: 'created' | 'updated'): JsonSchema {
  const { name } = collection;
  return answer(
    `The ${name} as it is stored, durably.`,
    {
      type: 'object',
      required: ['status', name],
      properties: {
        status: { type: 'string', const: status },
        [name]: ref(schemaName(collection)),
      },
    },
    { status, [name]: exampleRecord(collection) },
    ETAG,
  );
}

function deleted(member: 'id' | 'count', description: string): JsonSchema {
  const schema = {
    type: 'object',
    required: ['status', member],
    properties: { status: { type: 'string', const: 'deleted' }, [member]: { type: 'integer' } },
  };
  return answer(description, schema, { status: 'deleted', [member]: 1 });
}

const operation = (collection: Collection, id: string, summary: string) => ({
  tags: [collection.plural],
  operationId: `${id}${schemaName(collection)}`,
  // Only where client tokens are set.
  security: [{}, { clientToken: [] }, { operatorToken: [] }],
  summary,
});

export const listSchema = (collection: Collection) => ({
  ...operation(collection, 'list', `All ${collection.plural}, or one page of them`),
  description:
    'Newest date first, then highest id. Without limit and cursor the whole list is streamed.',
  querystring: {
    type: 'object',
    properties: {
      limit: {
        type: 'integer',
        minimum: 1,
        maximum: PAGE_LIMIT_MAX,
        description: 'Records of a page.',
      },
      cursor: { type: 'string', description: 'Opaque: from the Link of the page before.' },
    },
  },
  response: responses(
    answer(
      'A bare array of records.',
      { type: 'array', items: ref(schemaName(collection)) },
      [exampleRecord(collection)],
      { Link: { type: 'string', description: 'The next page, `rel="next"`; absent on the last.' } },
    ),
    ['invalid', ...READ_PROBLEMS],
  ),
});

export const getSchema = (collection: Collection) => ({
  ...operation(collection, 'get', `One ${collection.name}`),
  params: ID,
  headers: headers({
    'If-None-Match': {
      type: 'string',
      description: 'Entity tags of the client’s copies: 304 if one is the present state.',
    },
  }),
  response: responses(
    answer('The record.', ref(schemaName(collection)), exampleRecord(collection), ETAG),
    ['not-found', ...READ_PROBLEMS],
    { 304: { description: 'The client’s copy is the present state.', type: 'null' } },
  ),
});

export const createSchema = (collection: Collection) => ({
  ...operation(collection, 'create', `Create a record of ${collection.plural}`),
  headers: headers(IDEMPOTENCY_KEY),
  body: body(ref(`${schemaName(collection)}Input`)),
  response: responses(written(collection, 'created'), WRITE_PROBLEMS),
});

const UPDATE_PROBLEMS = ['not-found', 'precondition-failed', ...WRITE_PROBLEMS] as const;

export function patchSchema(collection: Collection) {
  const names = collection.fields.map(({ name }) => name);
  const { name, example } = collection.fields.at(-1) ?? { name: '', example: null };
  const schema = {
    type: 'object',
    required: ['field', 'value'],
    properties: {
      field: { type: 'string', enum: names },
      value: { description: 'As in a creation.', type: ['string', 'number', 'null'] },
    },
    examples: [{ field: name, value: example }],
  };
  return {
    ...operation(collection, 'setFieldOf', 'Set one field'),
    params: ID,
    headers: headers({ ...IF_MATCH, ...IDEMPOTENCY_KEY }),
    body: body(schema),
    response: responses(written(collection, 'updated'), ['not-a-field', ...UPDATE_PROBLEMS]),
  };
}

export const putSchema = (collection: Collection) => ({
  ...operation(collection, 'update', 'Set any of the fields; the others stay'),
  params: ID,
  headers: headers({ ...IF_MATCH, ...IDEMPOTENCY_KEY }),
  body: body(ref(`${schemaName(collection)}Update`)),
  response: responses(written(collection, 'updated'), UPDATE_PROBLEMS),
});

export const deleteSchema = (collection: Collection) => ({
  ...operation(collection, 'delete', 'Delete one record'),
  params: ID,
  headers: headers({ ...IF_MATCH, ...IDEMPOTENCY_KEY }),
  response: responses(
    deleted('id', 'It is deleted; its id is never given again.'),
    UPDATE_PROBLEMS,
  ),
});

export const bulkDeleteSchema = (collection: Collection) => ({
  ...operation(collection, 'bulkDelete', 'Delete many records, all or nothing'),
  description: 'An id that is named twice counts once; one that does not exist is skipped.',
  headers: headers(IDEMPOTENCY_KEY),
  body: body({
    type: 'object',
    required: ['ids'],
    properties: {
      ids: { type: 'array', maxItems: BULK_DELETE_IDS_MAX, items: { type: 'integer' } },
    },
    examples: [{ ids: [1] }],
  }),
  response: responses(deleted('count', 'So many were deleted.'), WRITE_PROBLEMS),
});
