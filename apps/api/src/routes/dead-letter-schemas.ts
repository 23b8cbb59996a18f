import { DEAD_LETTER_ACTS, PAGE_LETTERS_MAX } from '@tandem/storage/replication';
import { ACT_LIMIT_MAX, IDS_MAX } from './dead-letter-request.ts';
import { FILTER_LENGTH_MAX } from './operator-query.ts';
import {
  asking,
  boolean,
  instant,
  integer,
  list,
  operation,
  orNull,
  REFUSALS,
  text,
  whole,
} from './operator-schemas.ts';

const direction = {
  type: 'string',
  enum: ['postgres', 'json'],
  description: 'The store it should have reached.',
};
export const uuid = { type: 'string', format: 'uuid' };

export const attempt = whole({ at: instant, cause: text, error: text });

export const stamp = whole({ epoch: integer, version: integer });

export const nullable = (schema: object) => ({ anyOf: [{ type: 'null' }, schema] });

/** The members that every change has, and the one that some have. */
export const change = {
  type: 'object',
  required: ['collection', 'id', 'epoch', 'version', 'base', 'op', 'record', 'at'],
  properties: {
    ...{ collection: text, id: integer, epoch: integer, version: integer },
    base: { ...nullable(stamp), description: 'The state it was made from; null: a creation.' },
    op: { type: 'string', enum: ['create', 'update', 'delete'] },
    record: { ...orNull(text), description: 'The canonical JSON text; null: a deletion.' },
    at: instant,
    idempotencyKey: text,
  },
};

const key = whole({ key: text, fingerprint: text, outcome: text, at: text });

export const letter = whole({
  jobId: uuid,
  direction,
  change: { ...nullable(change), description: 'What it carries, if that is a change.' },
  key: { ...nullable(key), description: 'What it carries, if that is an idempotency key.' },
  cause: {
    ...text,
    description: 'rejected, conflict, fork, malformed, unknown-collection, defect, …',
  },
  error: text,
  fingerprint: { ...text, description: 'Names the kind of failure.' },
  failures: integer,
  attempts: { ...list(attempt), description: 'Oldest first; the first and the latest of many.' },
  redriven: { ...integer, description: 'How often it was put back before.' },
  since: { ...instant, description: 'Since when it is dead.' },
});

const group = whole({
  direction,
  fingerprint: text,
  cause: text,
  template: { ...text, description: 'The error without what is particular to one record.' },
  count: integer,
  collections: list(text),
  firstSince: instant,
  lastSince: instant,
  example: letter,
});

const filterText = { type: 'string', minLength: 1, maxLength: FILTER_LENGTH_MAX };

/** What narrows a list or an act. */
const filter = {
  direction,
  collection: { ...filterText, description: 'e.g. expense' },
  recordId: { ...integer, minimum: 1 },
  cause: filterText,
  fingerprint: filterText,
  olderThan: { ...instant, description: 'Dead since before this instant.' },
  newerThan: { ...instant, description: 'Dead since this instant or later.' },
  contains: { ...filterText, description: 'A part of what it carries; ASCII case does not count.' },
};
const inQuery = {
  ...filter,
  jobIds: { type: 'string', description: `At most ${IDS_MAX} ids, with commas between.` },
  field: { ...filterText, description: 'A field of the record and its value: account=Cash' },
};
const inBody = {
  ...filter,
  jobIds: { ...list(uuid), maxItems: IDS_MAX },
  field: {
    ...whole({ name: text, value: { type: ['string', 'number', 'boolean', 'null'] } }),
    description: 'A field of the record and its value; numbers in any spelling.',
  },
};

const notModified = { description: 'If-None-Match names what the answer would be.' };
const etag = {
  headers: { ETag: { type: 'string', description: 'Of the answer; for If-None-Match.' } },
};

/** An operation whose answer has an entity tag. */
export const tagged = (schema: ReturnType<typeof operation>) => ({
  ...schema,
  response: {
    ...schema.response,
    200: { ...schema.response[200], ...etag },
    304: { ...notModified, type: 'null' },
  },
});

export const listLettersSchema = tagged(
  operation(
    'Which writes to the secondary failed for good?',
    {
      description: 'One page of those that match, the latest first.',
      ...whole({
        letters: list(letter),
        total: { ...integer, description: 'How many match in all.' },
        next: { ...orNull(text), description: 'The cursor of the next page; null on the last.' },
      }),
    },
    {
      also: ['invalid'],
      querystring: {
        type: 'object',
        properties: {
          ...inQuery,
          limit: { ...integer, minimum: 1, maximum: PAGE_LETTERS_MAX, default: 100 },
          cursor: { ...text, description: '`next` of the page before.' },
        },
      },
    },
  ),
);

export const groupLettersSchema = tagged(
  operation(
    'How many of each kind of failure?',
    {
      description: 'The largest groups first, each with its latest letter.',
      ...whole({
        total: { ...integer, description: 'Letters in all.' },
        groupCount: { ...integer, description: 'Groups in all; the largest are listed.' },
        groups: list(group),
      }),
    },
    { also: ['invalid'], querystring: { type: 'object', properties: inQuery } },
  ),
);

const answer = whole({
  act: { type: 'string', enum: [...DEAD_LETTER_ACTS] },
  dryRun: boolean,
  matched: { ...integer, description: 'Meant when the act began.' },
  changed: integer,
  skipped: { ...integer, description: 'Gone before their turn.' },
  remaining: { ...integer, description: 'Not reached: repeat the request, with olderThan = asOf.' },
  asOf: { ...instant, description: 'What died later is not meant.' },
  groups: { ...list(group), description: 'Of a dry run: what would be touched.' },
});

const actSchema = (summary: string, description: string) =>
  operation(
    summary,
    { description: 'What was changed.', ...answer },
    {
      also: [...REFUSALS, 'precondition-failed'],
      description: `${description} All matching letters are meant only by \`all\`. With \`expectedCount\` nothing is changed (412) unless exactly so many match. A request acts upon about \`limit\` letters; \`matched\` - \`remaining\` of \`matched\` is how far it is.`,
      body: {
        type: 'object',
        required: ['reason'],
        properties: {
          filter: { type: 'object', properties: inBody, additionalProperties: false },
          all: { type: 'boolean', default: false },
          ...asking,
          expectedCount: { ...integer, minimum: 0 },
          limit: { ...integer, minimum: 1, maximum: ACT_LIMIT_MAX, default: ACT_LIMIT_MAX },
        },
        examples: [
          { filter: { cause: 'rejected' }, reason: 'The constraint is gone.', dryRun: true },
        ],
      },
    },
  );

export const redriveSchema = actSchema(
  'Put dead letters back into their queue',
  'Always safe: what is stale or there already changes nothing.',
);
export const discardSchema = actSchema(
  'Give dead letters up',
  'Their changes will not reach the secondary; the audit log keeps what they carried.',
);
