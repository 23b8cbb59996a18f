import { FLAG_NAMES, PHASES } from '@tandem/storage/phase';
import { HISTORY_LIMIT, HISTORY_LIMIT_MAX } from './migration-body.ts';
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

export const phase = { type: 'string', enum: [...PHASES] };
const store = { type: 'string', enum: ['json', 'postgres'] };
const progress = {
  done: integer,
  total: integer,
  perSecond: integer,
  secondsLeft: orNull(integer),
};
export const catchUp = whole({
  towards: store,
  since: instant,
  duty: { type: 'number', description: 'Share of the time it works in; it gives way to requests.' },
  ...progress,
});
const running = whole({ process: text, ...catchUp.properties });

const flag = whole({
  value: boolean,
  source: { type: 'string', enum: ['environment', 'table', 'last-known', 'default'] },
  reason: text,
});
export const flags = whole(Object.fromEntries(FLAG_NAMES.map((name) => [name, flag])));

export const report = whole({
  desired: { ...phase, description: 'From the flags.' },
  effective: { ...phase, description: 'What the stores are in.' },
  epoch: integer,
  flags,
  source: {
    type: 'string',
    enum: ['processes', 'asked'],
    description: 'Whose resolution of the flags this is.',
  },
  waitingFor: { type: ['string', 'null'] },
  disagreement: {
    type: ['string', 'null'],
    description: 'Names the processes whose environments differ; no switch starts while they do.',
  },
  catchUps: { ...list(running), description: 'Under way, whoever runs them.' },
  intent: {
    anyOf: [
      { type: 'null' },
      whole({
        at: instant,
        actor: text,
        act: { type: 'string', enum: ['set', 'cancel'] },
        desired: phase,
        reason: text,
      }),
    ],
  },
});

const gate = whole({
  name: text,
  open: { type: ['boolean', 'null'], description: 'null: only the driver can tell.' },
  value: { type: ['string', 'number'] },
  needed: text,
  opensWhen: text,
});
export const step = whole({
  from: phase,
  to: phase,
  movesPrimary: boolean,
  what: text,
  gates: list(gate),
  pause: whole({
    ms: { type: 'number', description: 'How long writes are expected to wait.' },
    basis: { type: 'string', enum: ['measured', 'estimated'] },
  }),
});
const answer = whole({
  effective: phase,
  desired: phase,
  dryRun: boolean,
  steps: list(step),
  warnings: list(text),
});

export const historyEntry = whole({
  at: instant,
  kind: { type: 'string', enum: ['moved', 'set', 'cancel'] },
  actor: text,
  from: { ...orNull(phase), enum: [...PHASES, null] },
  to: phase,
  epoch: orNull(integer),
  reason: text,
  evidence: { type: ['object', 'null'] },
});

const work = whole({
  ...{ written: integer, applied: integer, failed: integer },
  lagMs: { ...orNull(integer), description: 'Of what was applied within the last seconds.' },
  shadowReads: { type: 'object', additionalProperties: integer },
});

export const liveProcess = whole({
  id: { type: 'string', format: 'uuid' },
  kind: { type: 'string', enum: ['api', 'worker'] },
  pid: integer,
  host: text,
  startedAt: instant,
  seenAt: instant,
  effective: { ...orNull(phase), enum: [...PHASES, null] },
  epoch: orNull(integer),
  desired: phase,
  flags,
  ready: boolean,
  waitingFor: orNull(text),
  catchUp: { anyOf: [{ type: 'null' }, catchUp] },
  work: { anyOf: [{ type: 'null' }, work], description: 'Since it started.' },
});

export const phaseSchema = operation('Which phase is desired and effective?', {
  description: 'The phase as the stores and the processes that run have it.',
  ...report,
});

export const historySchema = operation(
  'Who moved the phase or asked for it?',
  { description: 'Newest first.', ...list(historyEntry) },
  {
    also: ['invalid'],
    querystring: {
      type: 'object',
      properties: {
        limit: { ...integer, minimum: 1, maximum: HISTORY_LIMIT_MAX, default: HISTORY_LIMIT },
      },
    },
  },
);

export const setPhaseSchema = operation(
  'Ask for a phase',
  { description: 'Both flags were written; the running system moves by itself.', ...answer },
  {
    also: REFUSALS,
    description:
      'Refused (409) when the environment of a running process locks a flag to another value.',
    body: {
      type: 'object',
      required: ['desired', 'reason'],
      properties: { desired: phase, ...asking },
      examples: [{ desired: 'postgres-primary', reason: 'Phase 4 on Tuesday.', dryRun: true }],
    },
  },
);

export const cancelPhaseSchema = operation(
  'Take back what was asked for',
  { description: 'The flags ask for the effective phase again.', ...answer },
  {
    also: REFUSALS,
    description: 'The reason, which is required, may stand in the query or in a JSON body.',
    querystring: {
      type: 'object',
      properties: { reason: { ...asking.reason, examples: ['Not this week.'] } },
    },
  },
);

export const processesSchema = operation('Who runs, and what does each believe?', {
  description: 'Every api and worker process that was heard of within the last 15 s.',
  ...list(liveProcess),
});

const backfill = whole({
  id: integer,
  actor: text,
  reason: text,
  askedAt: instant,
  finishedAt: orNull(instant),
  takenBy: { ...orNull(text), description: 'The process that does it.' },
  state: { type: 'string', enum: ['waiting', 'taken', 'done', 'failed', 'withdrawn'] },
  progress: {
    anyOf: [{ type: 'null' }, { type: 'object', required: ['done'], properties: progress }],
  },
  result: {
    anyOf: [
      { type: 'null' },
      whole({ seen: integer, applied: integer, remaining: integer, rest: orNull(text) }),
    ],
  },
  problem: orNull(text),
});

export const backfillReport = whole({
  effective: phase,
  towards: { ...orNull(store), enum: ['json', 'postgres', null] },
  catchUpSince: {
    ...orNull(instant),
    description: 'Since when it must be brought up by difference; that happens by itself.',
  },
  running: list(running),
  asked: list(backfill),
});

export const backfillsSchema = operation('How far is the other store brought up to date?', {
  description: 'Catch-ups under way, by themselves or asked for, and the last that were asked for.',
  ...backfillReport,
});

export const askBackfillSchema = operation(
  'Ask for a backfill',
  {
    description: 'Whoever holds the JSON store does it; asked for twice, it is one order.',
    ...whole({
      order: orNull(integer),
      effective: phase,
      towards: store,
      joined: boolean,
      warnings: list(text),
    }),
  },
  {
    also: REFUSALS,
    description: 'Refused (409) in a phase in which no store follows.',
    body: {
      type: 'object',
      required: ['reason'],
      properties: asking,
      examples: [{ reason: 'Before the switch.' }],
    },
  },
);
