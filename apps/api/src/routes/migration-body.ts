import { isJsonObject } from '@tandem/storage/collections';
import { TandemError } from '@tandem/storage/errors';
import { type Asked, PHASES, type Phase } from '@tandem/storage/phase';
import type { FastifyRequest } from 'fastify';
import { invalidRequest, type RequestProblem } from '../problem.ts';
import { readRequestJson } from '../request-json.ts';

/** Characters. */
export const REASON_LENGTH_MAX = 1_000;
export const ACTOR_LENGTH_MAX = 200;
export const HISTORY_LIMIT = 20;
export const HISTORY_LIMIT_MAX = 1_000;

const refuse = (errors: readonly RequestProblem[]): never => {
  throw new TandemError('invalid', invalidRequest(errors).detail, { detail: { errors } });
};

function bodyOf(request: FastifyRequest): Readonly<Record<string, unknown>> {
  const { body } = request;
  if (!(body instanceof Buffer) || body.length === 0) return {};
  const value = readRequestJson(body);
  if (isJsonObject(value)) return value;
  return refuse([{ field: 'body', problem: 'must be a JSON object' }]);
}

/** The phase that is asked for. @throws {TandemError} `invalid` */
export function readPhaseRequest(request: FastifyRequest): { desired: Phase; asked: Asked } {
  const body = bodyOf(request);
  const problems: RequestProblem[] = [];
  const desired = PHASES.find((phase) => phase === body.desired);
  if (desired === undefined) {
    problems.push({ field: 'desired', problem: `must be one of ${PHASES.join(', ')}` });
  }
  const asked = askedOf(request, body, problems);
  if (desired === undefined || problems.length > 0) return refuse(problems);
  return { desired, asked };
}

/** Who cancels and why; the reason may stand in the query, as `DELETE` often comes without a body.
 *  @throws {TandemError} `invalid` */
export function readCancellation(request: FastifyRequest): Asked {
  const { reason } = request.query as { reason?: unknown };
  const problems: RequestProblem[] = [];
  const asked = askedOf(request, { reason, ...bodyOf(request) }, problems);
  return problems.length > 0 ? refuse(problems) : asked;
}

function askedOf(
  request: FastifyRequest,
  body: Readonly<Record<string, unknown>>,
  problems: RequestProblem[],
): Asked {
  const { reason, actor = `operator from ${request.ip}`, dryRun = false } = body;
  const text = (field: string, value: unknown, lengthMax: number): string => {
    const trimmed = typeof value === 'string' ? value.trim() : '';
    // PostgreSQL's text has no NUL and no half of a surrogate pair.
    const fits = trimmed !== '' && !trimmed.includes('\0') && trimmed.isWellFormed();
    if (!fits || trimmed.length > lengthMax) {
      problems.push({ field, problem: `must be a text of 1 to ${lengthMax} characters` });
    }
    return trimmed;
  };
  if (typeof dryRun !== 'boolean') {
    problems.push({ field: 'dryRun', problem: 'must be true or false' });
  }
  return {
    reason: text('reason', reason, REASON_LENGTH_MAX),
    actor: text('actor', actor, ACTOR_LENGTH_MAX),
    dryRun: dryRun === true,
  };
}

/** `?limit=` of the history. @throws {TandemError} `invalid` */
export function readHistoryLimit(request: FastifyRequest): number {
  const { limit } = request.query as { limit?: unknown };
  if (limit === undefined) return HISTORY_LIMIT;
  const number = typeof limit === 'string' && /^\d{1,4}$/.test(limit) ? Number(limit) : 0;
  if (number >= 1 && number <= HISTORY_LIMIT_MAX) return number;
  return refuse([
    { field: 'limit', problem: `must be a whole number from 1 to ${HISTORY_LIMIT_MAX}` },
  ]);
}
