import { type ErrorCode, statusOf, type TandemError } from '@tandem/storage/errors';
import { type ProblemCode, problemCatalogue, TRANSPORT_STATUS } from './problem-catalogue.ts';

/** Media type of RFC 9457. */
export const PROBLEM_JSON = 'application/problem+json';

/** What is wrong with one field of a request. */
export interface RequestProblem {
  readonly field: string;
  readonly problem: string;
}

/** A problem before it is rendered. */
export interface Problem {
  readonly code: ProblemCode;
  /** A sentence for a person about this occurrence. */
  readonly detail: string;
  readonly errors?: readonly RequestProblem[];
  /** Seconds to wait before it is tried again, for the header; only where it is not the usual time. */
  readonly retryAfterS?: number;
}

export const problemStatus = (code: ProblemCode): number =>
  code in TRANSPORT_STATUS
    ? TRANSPORT_STATUS[code as keyof typeof TRANSPORT_STATUS]
    : statusOf(code as ErrorCode);

/**
 * The JSON text of a problem details object (RFC 9457, section 3.1).
 * @param requestId names the occurrence, so that a person can quote it; without one the text is the
 *   same whenever the same is answered
 */
export function problemText({ code, detail, errors }: Problem, requestId?: string): string {
  return JSON.stringify({
    type: `/problems/${code}`,
    title: problemCatalogue[code].title,
    status: problemStatus(code),
    detail,
    ...(requestId === undefined ? {} : { instance: `urn:request:${requestId}` }),
    ...(errors === undefined ? {} : { errors }),
  });
}

/** A refused request: `invalid` with what is wrong, as one sentence and field by field. */
export const invalidRequest = (errors: readonly RequestProblem[]): Problem => ({
  code: 'invalid',
  detail: `${errors.map(({ field, problem }) => `${field} ${problem}`).join('; ')}.`,
  errors,
});

/** The problem an operating error stands for; `undefined` for one that has no response. */
export function problemOf(error: TandemError): Problem | undefined {
  if (!(error.code in problemCatalogue)) return undefined;
  const code = error.code as ProblemCode;
  const { errors } = error.detail;
  return {
    code,
    detail: error.message,
    ...(Array.isArray(errors) ? { errors: errors as RequestProblem[] } : {}),
  };
}
