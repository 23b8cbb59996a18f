import { PROBLEM_JSON, problemStatus, problemText } from '../problem.ts';
import { type ProblemCode, problemCatalogue } from '../problem-catalogue.ts';
import type { JsonSchema } from './field-schemas.ts';

const RETRY_AFTER = { type: 'integer', description: 'Seconds to wait before trying again.' };

/** The problem details object of every error (RFC 9457). */
export const problemSchema: JsonSchema = {
  $id: 'Problem',
  type: 'object',
  required: ['type', 'title', 'status', 'detail'],
  properties: {
    type: { type: 'string', format: 'uri-reference', description: 'Stable: tell problems by it.' },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string', description: 'A sentence for a person about this occurrence.' },
    instance: {
      type: 'string',
      format: 'uri-reference',
      description:
        'The request’s id, as in X-Request-Id: the log has the request under it. Not in what may be the replayed outcome of a write.',
    },
    errors: {
      type: 'array',
      description: 'What is wrong, field by field (422).',
      items: {
        type: 'object',
        required: ['field', 'problem'],
        properties: { field: { type: 'string' }, problem: { type: 'string' } },
      },
    },
  },
};

const SAMPLES: Readonly<Partial<Record<ProblemCode, { detail: string; errors?: object[] }>>> = {
  'not-found': { detail: 'There is no expense 7.' },
  'precondition-failed': { detail: 'The expense 7 is in another state than If-Match asks for.' },
  'too-large': { detail: 'The body is larger than this API accepts.' },
  'unsupported-media-type': { detail: 'The body must be application/json.' },
  invalid: {
    detail: 'date must be a calendar date such as 2025-12-07; account is required.',
    errors: [
      { field: 'date', problem: 'must be a calendar date such as 2025-12-07' },
      { field: 'account', problem: 'is required' },
    ],
  },
};

/** What an answer with each problem looks like, by its code. */
export const problemSamples: Readonly<Record<string, { readonly value: unknown }>> =
  Object.fromEntries(
    (Object.keys(problemCatalogue) as ProblemCode[]).map((code) => {
      const plain = JSON.parse(problemText({ code, detail: `${problemCatalogue[code].title}.` }));
      return [code, { value: { ...plain, ...SAMPLES[code] } }];
    }),
  );

/** The responses of an operation for the given problems, by status. */
export function problemResponses(codes: readonly ProblemCode[]): Record<number, JsonSchema> {
  const responses: Record<number, JsonSchema> = {};
  for (const status of new Set(codes.map(problemStatus))) {
    const same = codes.filter((code) => problemStatus(code) === status);
    const waits = same.some((code) => problemCatalogue[code].retryAfterS !== undefined);
    responses[status] = {
      description: same.map((code) => `${problemCatalogue[code].title} (\`${code}\`).`).join(' '),
      ...(waits ? { headers: { 'Retry-After': RETRY_AFTER } } : {}),
      content: {
        [PROBLEM_JSON]: {
          schema: { $ref: 'Problem#' },
          examples: Object.fromEntries(
            same.map((code) => [code, { $ref: `#/components/examples/${code}` }]),
          ),
        },
      },
    };
  }
  return responses;
}
