import { isTandemError, sentenceOf } from '@tandem/storage/errors';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { PROBLEM_JSON, type Problem, problemOf, problemStatus, problemText } from '../problem.ts';
import { type ProblemCode, problemCatalogue } from '../problem-catalogue.ts';

/** Sends a problem as `application/problem+json`, with the request's id in it. */
export const sendProblem = (reply: FastifyReply, problem: Problem): FastifyReply =>
  send(reply, problem, problemText(problem, reply.request.id));

/** As `sendProblem`, for the outcome of a write: replayed under its key, it is the same bytes. */
export const sendReplayable = (reply: FastifyReply, problem: Problem): FastifyReply =>
  send(reply, problem, problemText(problem));

function send(reply: FastifyReply, problem: Problem, text: string): FastifyReply {
  const { code, retryAfterS } = problem;
  const usualS = reply.hasHeader('retry-after') ? undefined : problemCatalogue[code].retryAfterS;
  const waitS = retryAfterS ?? usualS;
  if (waitS !== undefined) reply.header('retry-after', waitS);
  return reply.code(problemStatus(code)).type(PROBLEM_JSON).send(text);
}

const NOT_JSON: Problem = {
  code: 'unsupported-media-type',
  detail: 'The body must be application/json.',
};
const COMPRESSED: Problem = {
  code: 'unsupported-media-type',
  detail: 'The body must not be compressed.',
};
const TRANSPORT: Readonly<Record<number, Problem>> = {
  404: { code: 'not-found', detail: 'There is no such path.' },
  408: { code: 'request-timeout', detail: 'The request took too long to arrive.' },
  413: { code: 'too-large', detail: 'The body is larger than this API accepts.' },
  414: { code: 'uri-too-long', detail: 'A part of the path is too long.' },
  415: NOT_JSON,
  429: { code: 'rate-limited', detail: 'One client may not send as many requests in a minute.' },
};

/** The problem for a request that the HTTP layer refused; `undefined` for anything unexpected. */
function transportProblem(error: Partial<FastifyError>): Problem | undefined {
  const { statusCode } = error;
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode > 499) return undefined;
  return TRANSPORT[statusCode] ?? { code: 'malformed', detail: 'The request can not be read.' };
}

/** Headers that say what would have been taken (RFC 9110, sections 12.5.1 and 12.5.3). */
const TAKEN: Readonly<Partial<Record<ProblemCode, Readonly<Record<string, string>>>>> = {
  'unsupported-media-type': { accept: 'application/json', 'accept-encoding': 'identity' },
};

const isCompressed = ({ headers }: FastifyRequest): boolean =>
  (headers['content-encoding'] ?? 'identity') !== 'identity';

/** The one place where anything thrown becomes an answer. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  if (isTandemError(error)) {
    const problem = problemOf(error);
    if (problem !== undefined) {
      if (error.status < 500) {
        // Looked at only now: what is compressed never reads as JSON.
        refuse(reply, problem.code === 'malformed' && isCompressed(request) ? COMPRESSED : problem);
        return;
      }
      const cause = error.cause === undefined ? {} : { cause: sentenceOf(error.cause) };
      request.log.warn({ code: error.code, ...error.detail, ...cause }, error.message);
      sendProblem(reply, problem);
      return;
    }
  }
  const refused = transportProblem(error as Partial<FastifyError>);
  if (refused !== undefined) {
    // Closing while the client still sends would reset the connection, and the answer with it. The
    // rest of the body is read and thrown away instead, for as long as a request may take to arrive.
    if (refused.code === 'too-large') {
      reply.header('connection', reply.raw.shouldKeepAlive ? 'keep-alive' : 'close');
    }
    refuse(reply, refused);
    return;
  }
  request.log.error({ err: error }, 'request failed unexpectedly');
  const detail = 'Something unexpected went wrong; the log has it under this request’s id.';
  sendProblem(reply, { code: 'internal', detail });
}

function refuse(reply: FastifyReply, problem: Problem): void {
  const headers = TAKEN[problem.code];
  if (headers !== undefined) reply.headers(headers);
  sendProblem(reply, problem);
}

/** Every error of the API is a problem details object (RFC 9457). */
export const problems = plugin(
  async (app: FastifyInstance) => {
    app.setErrorHandler((error, request, reply) => answerError(error, request, reply));
  },
  { name: 'problems' },
);
