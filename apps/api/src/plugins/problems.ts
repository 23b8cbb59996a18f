import { isTandemError, sentenceOf } from '@tandem/storage/errors';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { PROBLEM_JSON, type Problem, problemOf, problemStatus, problemText } from '../problem.ts';
import type { ProblemCode } from '../problem-catalogue.ts';
import { pathOf } from '../request-log.ts';

/** Seconds a client waits before it repeats a request that found no primary. */
const RETRY_AFTER_S = 1;

/** Sends a problem as `application/problem+json`. */
export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  const status = problemStatus(problem.code);
  const retryAfterS = problem.retryAfterS ?? (status === 503 ? RETRY_AFTER_S : undefined);
  if (retryAfterS !== undefined) reply.header('retry-after', retryAfterS);
  return reply.code(status).type(PROBLEM_JSON).send(problemText(problem));
}

const TRANSPORT: Readonly<Record<number, { code: ProblemCode; detail: string }>> = {
  404: { code: 'not-found', detail: 'There is no such path.' },
  408: { code: 'request-timeout', detail: 'The request took too long to arrive.' },
  413: { code: 'too-large', detail: 'The body is larger than this API accepts.' },
  414: { code: 'uri-too-long', detail: 'A part of the path is too long.' },
  429: { code: 'rate-limited', detail: 'One client may not send as many requests in a minute.' },
  415: { code: 'unsupported-media-type', detail: 'The body must be application/json.' },
};

/** The problem for a request that the HTTP layer refused; `undefined` for anything unexpected. */
function transportProblem(error: Partial<FastifyError>): Problem | undefined {
  const { statusCode } = error;
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode > 499) return undefined;
  return TRANSPORT[statusCode] ?? { code: 'malformed', detail: 'The request can not be read.' };
}

/** The one place where anything thrown becomes an answer. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  if (isTandemError(error)) {
    const problem = problemOf(error);
    if (problem !== undefined) {
      if (error.status < 500) {
        sendProblem(reply, problem);
        return;
      }
      const cause = error.cause === undefined ? {} : { cause: sentenceOf(error.cause) };
      request.log.warn({ code: error.code, ...error.detail, ...cause }, error.message);
      sendProblem(reply, { ...problem, requestId: request.id });
      return;
    }
  }
  const refused = transportProblem(error as Partial<FastifyError>);
  if (refused !== undefined) {
    // Closing while the client still sends would reset the connection, and the answer with it. The
    // rest of the body is read and thrown away instead, for as long as a request may take to arrive.
    if (refused.code === 'too-large') reply.removeHeader('connection');
    sendProblem(reply, refused);
    return;
  }
  request.log.error({ err: error }, 'request failed unexpectedly');
  const detail = 'Something unexpected went wrong; the log has it under this request’s id.';
  sendProblem(reply, { code: 'internal', detail, requestId: request.id });
}

/** Answers a path that is no route. */
function answerNotFound(request: FastifyRequest, reply: FastifyReply): void {
  const detail = `There is no ${request.method} ${pathOf(request.url)}.`;
  sendProblem(reply, { code: 'not-found', detail });
}

/** Every error of the API is a problem details object (RFC 9457). */
export const problems = plugin(
  async (app: FastifyInstance) => {
    app.setErrorHandler((error, request, reply) => answerError(error, request, reply));
    app.setNotFoundHandler(answerNotFound);
  },
  { name: 'problems' },
);
