import { PHASES } from '@tandem/storage/phase';

const phase = { type: 'string', enum: [...PHASES] };

/** JSON Schema of `Readiness`. */
export const readinessSchema = {
  type: 'object',
  required: ['ready', 'status'],
  properties: {
    ready: { type: 'boolean', description: 'The primary serves.' },
    status: { type: 'string', enum: ['ok', 'degraded', 'unready'] },
    phase: {
      type: 'object',
      required: ['desired', 'effective', 'epoch'],
      properties: {
        desired: { ...phase, description: 'From the flags.' },
        effective: { ...phase, description: 'What the stores are in.' },
        epoch: { type: 'integer' },
        waitingFor: { type: 'string' },
        brake: { type: 'string' },
      },
    },
    dependencies: {
      type: 'object',
      additionalProperties: {
        type: 'object',
        required: ['status'],
        properties: {
          status: { type: 'string', enum: ['up', 'down', 'degraded', 'unused'] },
          detail: { type: 'string' },
        },
      },
    },
    backlog: { type: 'integer', description: 'Changes the secondary has not applied yet.' },
    catchUp: {
      type: 'object',
      description: 'While the secondary is brought up to date by difference.',
      required: ['towards', 'since', 'duty', 'done', 'total', 'perSecond', 'secondsLeft'],
      properties: {
        towards: { type: 'string', enum: ['json', 'postgres'] },
        since: { type: 'string', format: 'date-time' },
        duty: { type: 'number', description: 'Share of the time it works in.' },
        done: { type: 'integer' },
        total: { type: 'integer' },
        perSecond: { type: 'integer' },
        secondsLeft: { type: ['integer', 'null'] },
      },
    },
    detail: { type: 'string', description: 'Why readiness could not be told.' },
  },
};
