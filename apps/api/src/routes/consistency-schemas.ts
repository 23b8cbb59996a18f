import {
  FOUND_BY,
  LEDGER_LIMIT,
  LEDGER_LIMIT_MAX,
  LIST_LIMIT,
  LIST_LIMIT_MAX,
  ORDER_KINDS,
} from './consistency-request.ts';
import {
  asking,
  instant,
  integer,
  list,
  operation,
  orNull,
  REFUSALS,
  text,
  whole,
} from './operator-schemas.ts';

const anything = { type: 'object', additionalProperties: true };
const CLASSES = ['in-flight', 'dead-lettered', 'mapping-error', 'fork', 'conflict', 'divergent'];

const side = {
  type: 'object',
  required: ['text'],
  properties: {
    epoch: integer,
    version: integer,
    text: { ...orNull(text), description: 'Canonical text; null for a tombstone.' },
  },
};
const subject = {
  type: 'object',
  description: 'A record by collection and id, or an idempotency key.',
  properties: { collection: text, id: integer, key: text },
};
const difference = {
  type: 'object',
  required: ['subject', 'class', 'kind'],
  properties: {
    subject,
    class: { type: 'string', enum: CLASSES },
    kind: { type: 'string', enum: ['missing', 'extra', 'different'] },
    primary: side,
    secondary: side,
    detail: text,
  },
};

const ENTRY = {
  id: integer,
  foundBy: { type: 'string', enum: [...FOUND_BY] },
  into: { type: 'string', enum: ['json', 'postgres'], description: 'The secondary.' },
  firstSeen: instant,
  lastSeen: instant,
  lastRun: orNull(integer),
  repairedAt: { ...orNull(instant), description: 'A repair is on its way since then.' },
  resolvedAt: orNull(instant),
  resolution: orNull(text),
  resolvedBy: orNull(text),
  reason: orNull(text),
};
const entry = {
  type: 'object',
  required: [...difference.required, ...Object.keys(ENTRY)],
  properties: { ...difference.properties, ...ENTRY },
};

const mode = { type: 'string', enum: ['full', 'changed'] };
const outcome = { type: 'string', enum: ['clean', 'differences', 'inconclusive'] };
const readiness = whole({
  total: integer,
  failing: integer,
  share: { type: 'number' },
  first: list(whole({ collection: text, id: integer, field: orNull(text), class: text })),
});
const RUN = {
  id: integer,
  startedAt: instant,
  finishedAt: instant,
  primary: { type: 'string', enum: ['json', 'postgres'] },
  mode,
  watermark: whole({ epoch: integer, outboxSeq: integer }),
  outcome,
};
const runSchema = {
  ...whole({
    ...RUN,
    ...{ seen: integer, keysSeen: integer },
    counts: { type: 'object', additionalProperties: integer },
    differences: { ...list(difference), description: 'The first 100.' },
  }),
};
const run = { ...runSchema, properties: { ...runSchema.properties, readiness } };

const order = whole({
  id: integer,
  what: anything,
  actor: text,
  reason: text,
  askedAt: instant,
  finishedAt: orNull(instant),
  state: { type: 'string', enum: ['waiting', 'taken', 'done', 'failed', 'withdrawn'] },
  takenBy: { ...orNull(text), description: 'Waits while no process holds the JSON store.' },
  progress: { ...orNull(anything), additionalProperties: true },
  result: { ...orNull(anything), additionalProperties: true },
});
const ORDERED = { description: 'The order; GET /orders/{id} says how far it is.', ...order };

const params = (name: string, schema: object) => ({
  type: 'object',
  required: [name],
  properties: { [name]: schema },
});
const ID = params('id', { ...integer, minimum: 0, maximum: 999_999_999, examples: [1] });
const { dryRun, ...who } = asking;
const ids = { type: 'array', minItems: 1, maxItems: 1_000, items: integer };

export const lastVerifySchema = operation('When were the stores compared last?', {
  description: 'Without its differences.',
  ...whole({
    last: {
      anyOf: [
        { type: 'null' },
        whole({ ...RUN, lastReadiness: { anyOf: [{ type: 'null' }, readiness] } }),
      ],
    },
  }),
});
export const verifyRunSchema = operation(
  'What did a comparison find?',
  { description: 'A run that has finished.', ...run },
  { also: ['not-found'], params: ID },
);
const listLimit = { ...integer, minimum: 1, maximum: LIST_LIMIT_MAX, default: LIST_LIMIT };
export const verifyRunsSchema = operation(
  'Which comparisons were there?',
  {
    description: 'Newest first; `next` is the `before` of the next page.',
    ...whole({
      runs: list(
        whole({
          ...{ id: integer, startedAt: instant, primary: RUN.primary, mode },
          finishedAt: { ...orNull(instant), description: 'null: under way, or cut off.' },
          outcome: { ...orNull(outcome), enum: [...outcome.enum, null] },
          ...{ seen: orNull(integer), keysSeen: orNull(integer) },
          counts: { type: ['object', 'null'], additionalProperties: integer },
        }),
      ),
      next: orNull(integer),
    }),
  },
  {
    also: ['invalid'],
    querystring: { type: 'object', properties: { before: integer, limit: listLimit } },
  },
);
export const ordersSchema = operation(
  'What was ordered?',
  { description: 'Those of one kind, newest first.', ...list(order) },
  {
    also: ['invalid'],
    querystring: {
      type: 'object',
      required: ['kind'],
      properties: { kind: { type: 'string', enum: [...ORDER_KINDS] }, limit: listLimit },
    },
  },
);
export const verifySchema = operation('Compare the stores', ORDERED, {
  also: REFUSALS,
  body: {
    type: 'object',
    required: ['reason'],
    properties: { mode: { ...mode, default: 'changed' }, ...who },
    examples: [{ mode: 'full', reason: 'Before the switch.' }],
  },
});
export const repairSchema = operation('Make the secondary equal to the primary', ORDERED, {
  also: REFUSALS,
  description: 'By run, or by record. Forks and conflicts wait for a choice.',
  body: {
    type: 'object',
    required: ['reason'],
    properties: { run: integer, collection: text, id: integer, ...who, dryRun },
    examples: [{ run: 12, reason: 'Typed by mistake.', dryRun: true }],
  },
});
export const orderSchema = operation(
  'How far is an order?',
  { description: 'The order as it stands.', ...order },
  { also: ['not-found'], params: ID },
);
export const withdrawSchema = operation(
  'Withdraw an order that waits',
  { description: 'The order, withdrawn.', ...order },
  {
    also: ['not-found', ...REFUSALS],
    description:
      'One that a process has taken goes on (409). The reason, which is required, may stand in the query or in a JSON body.',
    params: ID,
    querystring: {
      type: 'object',
      properties: { reason: { ...who.reason, examples: ['Not needed any more.'] } },
    },
  },
);
export const divergencesSchema = operation(
  'Where do the stores differ?',
  {
    description: 'By ascending id; `next` is the `after` of the next page.',
    ...whole({ entries: list(entry), next: orNull(integer) }),
  },
  {
    also: ['invalid'],
    querystring: {
      type: 'object',
      properties: {
        state: { type: 'string', enum: ['open', 'all'], default: 'open' },
        collection: text,
        record: integer,
        class: text,
        foundBy: { type: 'string', enum: [...FOUND_BY] },
        run: integer,
        after: integer,
        limit: { ...integer, minimum: 1, maximum: LEDGER_LIMIT_MAX, default: LEDGER_LIMIT },
      },
    },
  },
);
export const divergenceSchema = operation(
  'One difference with both sides',
  { description: 'As the ledger has it.', ...entry },
  { also: ['not-found'], params: ID },
);
const budgets = list(whole({ collection: text, open: integer, allowed: integer }));
export const budgetsSchema = operation('How many differences are allowed?', {
  description: 'More open ones than allowed keep the gate closed.',
  ...budgets,
});
export const budgetSchema = operation(
  'Allow a collection some differences',
  { description: 'The budgets as they are now.', ...budgets },
  {
    also: REFUSALS,
    params: params('collection', { ...text, examples: ['expense'] }),
    body: {
      type: 'object',
      required: ['allowed', 'reason'],
      properties: { allowed: { ...integer, minimum: 0, maximum: 1_000_000 }, ...who },
      examples: [{ allowed: 3, reason: 'Known, and looked at tomorrow.' }],
    },
  },
);
export const resolveSchema = operation('Keep one side', ORDERED, {
  also: REFUSALS,
  description: 'It is written as a new version; the other side stays in the ledger.',
  body: {
    type: 'object',
    required: ['keep', 'reason'],
    properties: {
      ids,
      run: integer,
      keep: { type: 'string', enum: ['primary', 'secondary'] },
      ...{ ...who, dryRun },
    },
    examples: [{ ids: [7], keep: 'primary', reason: 'The edit was a mistake.' }],
  },
});
export const acceptSchema = operation(
  'End entries as they are',
  {
    description: 'While the stores differ, the next verify lists them anew.',
    ...whole({ matched: integer, changed: integer }),
  },
  {
    also: REFUSALS,
    body: {
      type: 'object',
      required: ['ids', 'reason'],
      properties: { ids, ...who },
      examples: [{ ids: [1], reason: 'Meant so.' }],
    },
  },
);
