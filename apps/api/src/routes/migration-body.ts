import { type Asked, PHASES, type Phase } from '@tandem/storage/phase';
import type { FastifyRequest } from 'fastify';
import type { RequestProblem } from '../problem.ts';
import { askedOf, bodyOf, refuse } from './operator-request.ts';

export const HISTORY_LIMIT = 20;
export const HISTORY_LIMIT_MAX = 1_000;

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

/** Who orders something and why. @throws {TandemError} `invalid` */
export function readAsked(request: FastifyRequest): Asked {
  const problems: RequestProblem[] = [];
  const asked = askedOf(request, bodyOf(request), problems);
  return problems.length > 0 ? refuse(problems) : asked;
}

/** Who cancels and why; the reason may stand in the query, as `DELETE` often comes without a body.
 *  @throws {TandemError} `invalid` */
export function readCancellation(request: FastifyRequest): Asked {
  const { reason } = request.query as { reason?: unknown };
  const problems: RequestProblem[] = [];
  const asked = askedOf(request, { reason, ...bodyOf(request) }, problems);
  return problems.length > 0 ? refuse(problems) : asked;
}

/** Who orders something and why. @throws {TandemError} `invalid` */
export function readOrder(request: FastifyRequest): Asked {
  const problems: RequestProblem[] = [];
  const asked = askedOf(request, bodyOf(request), problems);
  return problems.length > 0 ? refuse(problems) : asked;
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
