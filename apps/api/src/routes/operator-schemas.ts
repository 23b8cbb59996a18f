import type { ProblemCode } from '../problem-catalogue.ts';
import { ACTOR_LENGTH_MAX, REASON_LENGTH_MAX } from './operator-request.ts';
import { problemResponses } from './problem-schemas.ts';

// What the documentation of the operators' routes is put together from.

export const orNull = (schema: { type: string }) => ({ ...schema, type: [schema.type, 'null'] });
export const text = { type: 'string' };
export const integer = { type: 'integer' };
export const boolean = { type: 'boolean' };
export const instant = { type: 'string', format: 'date-time' };

/** An object that has all of these members. */
export const whole = (properties: Record<string, object>) => ({
  type: 'object',
  required: Object.keys(properties),
  properties,
});
export const list = (items: object) => ({ type: 'array', items });

const COMMON: readonly ProblemCode[] = [
  'unauthorized',
  'forbidden',
  'rate-limited',
  'unavailable',
  'storage-failed',
];

/** Either of them. */
const BY_OPERATORS = [{ operatorToken: [] }, { consoleSession: [] }];

/** What every operator's route says of itself. */
export const operation = (
  summary: string,
  response: object,
  { also = [], ...rest }: { also?: readonly ProblemCode[]; [member: string]: unknown } = {},
) => ({
  tags: ['migration'],
  security: BY_OPERATORS,
  summary,
  ...rest,
  response: { 200: response, ...problemResponses([...COMMON, ...also]) },
});

export const asking = {
  reason: { type: 'string', minLength: 1, maxLength: REASON_LENGTH_MAX },
  actor: {
    type: 'string',
    minLength: 1,
    maxLength: ACTOR_LENGTH_MAX,
    description: 'Who asks; the address the request came from, if not given.',
  },
  dryRun: { type: 'boolean', default: false, description: 'Shows the steps; writes nothing.' },
};
export const REFUSALS: readonly ProblemCode[] = [
  'invalid',
  'malformed',
  'conflict',
  'too-large',
  'unsupported-media-type',
  'outcome-unknown',
];
