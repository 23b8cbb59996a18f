import { instant, integer, list, operation, orNull, text, whole } from './operator-schemas.ts';

export const AUDIT_LIMIT = 50;
export const AUDIT_LIMIT_MAX = 500;

const entry = whole({
  id: text,
  at: instant,
  actor: text,
  action: {
    ...text,
    description:
      'redrive-dead-letters, repair, adopt-external-edit, ask-for-phase, move-phase, verify, …',
  },
  reason: text,
  details: {
    type: ['object', 'null'],
    additionalProperties: true,
    description: 'What it was done to, by action; null where that is too long for a list.',
  },
  detailsBytes: integer,
  letters: { ...orNull(integer), description: 'Dead letters it was done to.' },
});

export const auditSchema = operation(
  'Who did what, and why?',
  {
    description: 'Newest first: acts on data, phases asked for, moves of the phase, comparisons.',
    ...whole({
      entries: list(entry),
      next: { ...orNull(text), description: 'The cursor of the next page; null on the last.' },
    }),
  },
  {
    also: ['invalid'],
    querystring: {
      type: 'object',
      properties: {
        action: text,
        contains: { ...text, description: 'A part of who or why; ASCII case does not count.' },
        olderThan: instant,
        newerThan: instant,
        limit: { ...integer, minimum: 1, maximum: AUDIT_LIMIT_MAX, default: AUDIT_LIMIT },
        cursor: { ...text, description: '`next` of the page before.' },
      },
    },
  },
);
