import { PHASES } from '@tandem/storage/phase';
import { HISTORY_SOURCES } from '@tandem/storage/xray';
import { attempt, change, letter, nullable, stamp, tagged, uuid } from './dead-letter-schemas.ts';
import {
  boolean,
  instant,
  integer,
  list,
  operation,
  orNull,
  text,
  whole,
} from './operator-schemas.ts';

const store = { type: 'string', enum: ['json', 'postgres'] };
const phase = { type: 'string', enum: [...PHASES] };

const side = {
  oneOf: [
    whole({ readable: { const: false }, problem: text }),
    {
      type: 'object',
      required: ['readable', 'phase', 'epoch', 'state', 'stamp', 'text', 'mappingError'],
      properties: {
        readable: { const: true },
        phase,
        epoch: { ...integer, description: 'Of the store itself.' },
        state: { type: 'string', enum: ['live', 'deleted', 'none'] },
        stamp: nullable(stamp),
        base: {
          ...nullable(stamp),
          description: 'What the state was made from; absent where that is not known any more.',
        },
        text: { ...orNull(text), description: 'The canonical JSON text.' },
        mappingError: { ...boolean, description: 'PostgreSQL can’t hold it as it is.' },
      },
    },
  ],
};

const job = whole({
  jobId: { type: 'string', format: 'uuid' },
  direction: store,
  state: { type: 'string', enum: ['waiting', 'failed', 'active', 'dead'] },
  change,
  cause: orNull(text),
  error: orNull(text),
  failures: integer,
  attempts: list(attempt),
  since: instant,
  startAfter: instant,
});

const xray = whole({
  collection: text,
  id: integer,
  at: instant,
  phase: { ...orNull(phase), enum: [...PHASES, null] },
  primary: { ...orNull(store), enum: [...store.enum, null] },
  secondary: { ...orNull(store), enum: [...store.enum, null] },
  json: side,
  postgres: side,
  same: { ...orNull(boolean), description: 'null: one of them can’t be read.' },
  verdict: { ...text, description: 'One sentence for a person.' },
  fields: list(
    whole({
      name: text,
      json: { ...orNull(text), description: 'JSON; null: there is none.' },
      postgres: orNull(text),
      differs: orNull(boolean),
    }),
  ),
  notRelayed: {
    ...nullable(list(whole({ seq: integer, stamp }))),
    description: 'In the journal and not in the queue yet; null: not known.',
  },
  jobs: { ...nullable(list(job)), description: 'null: the queue can’t be read.' },
  divergences: { ...list({ type: 'object' }), description: 'Entries of the ledger.' },
  acts: {
    ...list(
      whole({
        ...{ at: instant, actor: text, action: text, reason: text },
        ...{ epoch: integer, version: integer, change: nullable(change) },
      }),
    ),
    description: 'What operators did to its dead letters.',
  },
  keys: list(whole({ key: text, knownTo: list(store), at: text, outcome: text })),
  history: {
    ...list({
      type: 'object',
      required: ['epoch', 'version', 'op', 'at', 'idempotencyKey', 'record', 'knownFrom'],
      properties: {
        ...{ epoch: integer, version: integer },
        op: { ...orNull(text), enum: ['create', 'update', 'delete', null] },
        ...{ at: orNull(text), base: nullable(stamp), idempotencyKey: orNull(text) },
        record: orNull(text),
        knownFrom: list({ type: 'string', enum: [...HISTORY_SOURCES] }),
      },
    }),
    description: 'Every state that still stands anywhere, newest first.',
  },
});

export const xraySchema = tagged(
  operation(
    'One record wherever it stands',
    { description: 'Both stores, journal, queue and ledger. What can’t be read is said.', ...xray },
    {
      also: ['not-found'],
      params: {
        type: 'object',
        required: ['collection', 'id'],
        properties: {
          collection: { ...text, examples: ['expense'] },
          id: { ...integer, minimum: 1, examples: [1] },
        },
      },
    },
  ),
);

export const readLetterSchema = operation(
  'One dead letter, and its record',
  {
    description: 'With the error of every attempt, and what both stores hold now.',
    ...whole({
      letter,
      record: {
        ...nullable(xray),
        description: 'null: it carries no change, or one of a collection that is not known.',
      },
    }),
  },
  {
    also: ['invalid', 'not-found'],
    params: {
      type: 'object',
      required: ['jobId'],
      properties: { jobId: { ...uuid, examples: ['3f1b8a52-6f5e-4c0e-9d0c-0e6f6f2f4f1a'] } },
    },
  },
);
