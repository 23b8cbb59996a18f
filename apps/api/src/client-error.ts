import { randomUUID } from 'node:crypto';
import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { PROBLEM_JSON, problemStatus, problemText } from './problem.ts';
import type { ProblemCode } from './problem-catalogue.ts';

const CODES: Readonly<Record<string, ProblemCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
  HPE_HEADER_OVERFLOW: 'headers-too-large',
};
const SENTENCES: Readonly<Partial<Record<ProblemCode, string>>> = {
  'request-timeout': 'The request took too long to arrive.',
  'headers-too-large': 'The headers of the request are too large.',
};

/** Node keeps the answer that is under way, and puts the next one in its place when it is finished. */
interface AnsweringSocket extends Socket {
  readonly _httpMessage?: ServerResponse | null;
}

/**
 * Answers bytes that are no HTTP request, in the form of every other error, and closes the
 * connection: there is no request and no reply yet, only the socket.
 */
export function answerClientError(
  this: FastifyInstance,
  error: Error & { code?: string },
  socket: AnsweringSocket,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  // A client takes the first answer for that of its first request: what came whole before this is
  // answered first. (It may be a write, and this would say that nothing was written.)
  const before = socket._httpMessage;
  if (before?.req.complete === true) {
    before.once('finish', () => answerClientError.call(this, error, socket));
    return;
  }
  const code = CODES[error.code ?? ''] ?? 'malformed';
  const status = problemStatus(code);
  // Whatever id the client meant could not be read.
  const reqId = randomUUID();
  this.log.info({ reqId, status, code: error.code }, 'refused what is no request');
  const text = problemText({ code, detail: SENTENCES[code] ?? 'The request is not HTTP.' }, reqId);
  if (socket.writable) {
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n` +
        `Content-Type: ${PROBLEM_JSON}\r\nContent-Length: ${Buffer.byteLength(text)}\r\n` +
        `X-Request-Id: ${reqId}\r\nX-Content-Type-Options: nosniff\r\n` +
        `Connection: close\r\n\r\n${text}`,
    );
  }
  socket.destroySoon();
}
