import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import { RequestLogger } from './request-logger.ts';

/** A request id that is taken over from a caller: short, and harmless in a log and a header. */
const SANE_ID = /^[\w.:-]{1,128}$/;

/** The caller's `X-Request-Id` if it is sane, a new one otherwise. */
export function requestIdOf(request: { headers: IncomingMessage['headers'] }): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && SANE_ID.test(given) ? given : randomUUID();
}

/** The path without the query, whose values may be of a record. */
export const pathOf = (url: string): string => {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
};

/**
 * One line a request, when it has ended: never a header, a query's value or anything of a body.
 * (Fastify writes two lines, with whole request and response objects, which costs more than parsing
 * a small body.) What went wrong is logged by the error handler, under the same request id.
 */
export class RequestLog extends LogController {
  override incomingRequest(): void {}

  override routeNotFound(): void {}

  override requestCompleted(
    error: Error | null | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void {
    // Most requests' only line, for which they need no logger of their own.
    const { log: own } = request;
    const isOnlyLine = own instanceof RequestLogger && own.isUnmade;
    const log = isOnlyLine ? request.server.log : own;
    const line = {
      reqId: isOnlyLine ? request.id : undefined,
      method: request.method,
      path: pathOf(request.url),
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime * 10) / 10,
    };
    if (error) log.warn({ ...line, error: error.message }, 'request ended without its answer');
    else log.info(line, 'request');
  }

  override streamError(error: Error, request: FastifyRequest): void {
    const sentence =
      'code' in error && error.code === 'ERR_STREAM_PREMATURE_CLOSE'
        ? 'client went away before the whole answer was sent'
        : 'answer was broken off';
    request.log.warn({ path: pathOf(request.url), error: error.message }, sentence);
  }
}
