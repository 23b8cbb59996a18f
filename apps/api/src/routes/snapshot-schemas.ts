import { SWITCH_STATES } from '@tandem/storage/phase';
import { nullable, tagged } from './dead-letter-schemas.ts';
import {
  backfillReport,
  catchUp,
  flags,
  historyEntry,
  liveProcess,
  phase,
  report,
  step,
} from './migration-schemas.ts';
import { instant, integer, list, operation, orNull, text, whole } from './operator-schemas.ts';

const column = list({ type: ['number', 'null'] });
const counts = { type: 'object', additionalProperties: integer };

const apiView = whole({
  ...{ process: text, startedAt: instant },
  status: { type: 'string', enum: ['ok', 'degraded', 'unready'] },
  ...{ effective: phase, desired: phase, epoch: integer, flags },
  ...{ waitingFor: orNull(text), brake: orNull(text) },
  dependencies: {
    type: 'object',
    additionalProperties: {
      type: 'object',
      required: ['status'],
      properties: { status: text, detail: text },
    },
  },
  switchState: {
    ...orNull(text),
    enum: [...SWITCH_STATES, null],
    description: 'While this process drives switches.',
  },
  requestsWaiting: integer,
  catchUp: nullable(catchUp),
});

const { seenAt: _seenAt, work, ...processMembers } = liveProcess.properties;
const neighbour = nullable(whole({ ...step.properties, lockedBy: orNull(text) }));

const standing = whole({
  phase: report,
  ...{ ahead: neighbour, back: neighbour },
  processes: list(whole(processMembers)),
  backfill: backfillReport,
  history: list(historyEntry),
});

const verify = whole({
  ...{ id: integer, startedAt: instant, finishedAt: instant },
  ...{ primary: text, mode: text, outcome: text },
});
const readiness = whole({
  ...{ total: integer, failing: integer, share: { type: 'number' } },
  first: list(whole({ collection: text, id: integer, field: orNull(text), class: text })),
});

const answer = whole({
  at: { ...instant, description: 'By the clock of the api that answers.' },
  collections: { ...list(text), description: 'Names of those there are.' },
  api: { ...apiView, description: 'What that api knows by itself.' },
  database: whole({
    problem: { ...orNull(text), description: 'Why PostgreSQL can’t be asked.' },
    asOf: { ...orNull(instant), description: 'When it could last; what it knows is of then.' },
  }),
  migration: { ...nullable(standing), description: 'null: never read.' },
  trust: nullable(
    whole({ verify: nullable(verify), readiness: nullable(readiness), divergences: counts }),
  ),
  work: nullable(whole({ shadowReads: counts })),
  journalPending: orNull(integer),
  queues: nullable({
    type: 'object',
    additionalProperties: whole({ waiting: integer, active: integer, deadLetters: integer }),
  }),
  samples: {
    ...whole({
      at: list(integer),
      ...{ backlog: column, lag: column, written: column, applied: column },
      ...{ failed: column, deadLetters: column },
    }),
    description: 'Of the last half hour, a column each; equal ones in a row are one.',
  },
});

export const snapshotSchema = tagged(
  operation(
    'How does the migration stand?',
    { description: 'All that the console shows at a glance.', ...answer },
    {
      also: ['invalid'],
      querystring: {
        type: 'object',
        properties: {
          after: { ...integer, description: 'Only samples after this one, in ms since 1970.' },
        },
      },
    },
  ),
);
