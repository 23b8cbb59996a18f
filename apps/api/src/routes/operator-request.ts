import { isJsonObject } from '@tandem/storage/collections';
import { TandemError } from '@tandem/storage/errors';
import type { Asked } from '@tandem/storage/phase';
import type { FastifyRequest } from 'fastify';
import { invalidRequest, type RequestProblem } from '../problem.ts';
import { readRequestJson } from '../request-json.ts';

/** Characters. */
export const REASON_LENGTH_MAX = 1_000;
export const ACTOR_LENGTH_MAX = 200;

/** @throws {TandemError} `invalid`, always */
export const refuse = (errors: readonly RequestProblem[]): never => {
  throw new TandemError('invalid', invalidRequest(errors).detail, { detail: { errors } });
};

/** The JSON object of a body; an empty one where there is none. @throws {TandemError} `invalid` */
export function bodyOf(request: FastifyRequest): Readonly<Record<string, unknown>> {
  const { body } = request;
  if (!(body instanceof Buffer) || body.length === 0) return {};
  const value = readRequestJson(body);
  if (isJsonObject(value)) return value;
  return refuse([{ field: 'body', problem: 'must be a JSON object' }]);
}

/** Who asks and why; what is wrong with it is added to `problems`. */
export function askedOf(
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
