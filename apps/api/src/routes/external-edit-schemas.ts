import type { ProblemCode } from '../problem-catalogue.ts';
import {
  asking,
  instant,
  integer,
  list,
  operation,
  REFUSALS,
  text,
  whole,
} from './operator-schemas.ts';

const ids = list(integer);
const textOrNull = { type: ['string', 'null'] };

const decision = whole({
  act: { type: 'string', enum: ['adopt', 'reject'] },
  actor: text,
  reason: text,
  at: instant,
});

const MEMBERS = {
  name: { ...text, description: 'Of the kept file; it names the edit.' },
  collection: text,
  keptAt: { ...text, description: 'Where the edited file is kept.' },
  at: { ...instant, description: 'When it was found.' },
  status: { type: 'string', enum: ['open', 'adopted', 'rejected'] },
  added: { ...ids, description: 'Ids the edit added, against the checkpoint it was an edit of.' },
  changed: ids,
  removed: ids,
  withoutId: {
    ...integer,
    description: 'Records it added without an id; adopting gives them one.',
  },
  conflicting: { ...ids, description: 'Not adopted: the primary had changed them, too.' },
  unfit: { ...ids, description: 'Not adopted: the primary can not hold them.' },
  decisions: list(decision),
};
const PROBLEM = { ...text, description: 'Why the edited file can not be read as records.' };

const ofEdit = (more: Record<string, object> = {}) => {
  const schema = whole({ ...MEMBERS, ...more });
  return { ...schema, properties: { ...schema.properties, problem: PROBLEM } };
};
const edit = ofEdit();

const difference = {
  type: 'object',
  required: ['from', 'to', 'fits'],
  properties: {
    id: integer,
    from: { ...textOrNull, description: 'The record that was edited, null for none.' },
    to: { ...textOrNull, description: 'What the edit made of it, null for none.' },
    fits: { type: 'boolean', description: 'Whether the schema can hold it.' },
  },
};

const params = {
  type: 'object',
  required: ['name'],
  properties: { name: { ...text, examples: ['2026-01-05T10-00-00.000Z-expenses.json'] } },
};
const DECIDING: readonly ProblemCode[] = [
  ...REFUSALS,
  'not-found',
  'not-primary',
  'overloaded',
  'storage-full',
];
const { dryRun, ...who } = asking;
const body = {
  type: 'object',
  required: ['reason'],
  properties: { ...who, dryRun: { ...dryRun, description: 'Shows the edit; changes nothing.' } },
  examples: [{ reason: 'Corrected by hand while the service was down.', actor: 'ann' }],
};

export const editListSchema = operation('Which edits of the JSON files did something else make?', {
  description: 'Oldest first; also those that were decided about.',
  ...list(edit),
});

export const showEditSchema = operation(
  'What did an edit change?',
  { description: 'With both texts of each record.', ...ofEdit({ records: list(difference) }) },
  { also: ['not-found'], params },
);

export const adoptEditSchema = operation(
  'Adopt an edit',
  {
    description:
      'Its differences are changes of the primary now. It stays open if some were left: `conflicting`, `unfit`.',
    ...edit,
  },
  {
    ...{ also: DECIDING, params, body },
    description: 'Refused (409) when it was decided before, or is no file of records.',
  },
);

export const rejectEditSchema = operation(
  'Reject an edit',
  { description: 'Nothing of it is done; it stays kept aside.', ...edit },
  { ...{ also: DECIDING, params, body }, description: 'Refused (409) when it was decided before.' },
);
