import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
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

/**
 * Answers bytes that are no HTTP request, in the form of every other error, and closes the
 * connection: there is no request and no reply yet, only the socket.
 */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const code = CODES[error.code ?? ''] ?? 'malformed';
  const text = problemText({ code, detail: SENTENCES[code] ?? 'The request is not HTTP.' });
  const status = problemStatus(code);
  if (socket.writable) {
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n` +
        `Content-Type: ${PROBLEM_JSON}\r\nContent-Length: ${Buffer.byteLength(text)}\r\n` +
        `Connection: close\r\n\r\n${text}`,
    );
  }
  socket.destroySoon();
}
