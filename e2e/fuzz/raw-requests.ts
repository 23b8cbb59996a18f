import { below, pickOf } from '@tandem/storage/testing';
import type { Random } from './json-texts.ts';
import type { FuzzRequest } from './requests.ts';

const POST = 'POST /api/v1/expense HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
const GET = 'GET /health HTTP/1.1\r\nHost: x\r\n';
/** What would be a request of its own, if two readers disagreed about where the first one ends. */
const INNER = 'GET /api/v1/expense/1 HTTP/1.1\r\nHost: x\r\n\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';

/** Bytes that are no request, or two that claim to be one. */
const SHAPES: readonly string[] = [
  // Two lengths, and lengths that are none.
  `${POST}Content-Length: 4\r\n${CHUNKED}\r\n0\r\n\r\n${INNER}`,
  `${POST}${CHUNKED}Content-Length: ${INNER.length}\r\n\r\n${INNER}`,
  `${POST}Content-Length: 2\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  ...['+2', '-1', '0x2', '2,2', '1e1', '', '99999999999999999999', '2 2'].map(
    (length) => `${POST}Content-Length: ${length}\r\n\r\n{}${INNER}`,
  ),
  // Encodings that are none.
  ...[
    'xchunked',
    'chunked, identity',
    'identity',
    'gzip',
    'chunked\r\nTransfer-Encoding: x',
    '"chunked"',
  ].map((coding) => `${POST}Transfer-Encoding: ${coding}\r\n\r\n0\r\n\r\n${INNER}`),
  `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
  `${POST} Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
  // Chunks that are none.
  ...['-1', 'fffffffffffffffff', '0x2', '2 ', '2;\n', 'zz', ''].map(
    (size) => `${POST}${CHUNKED}\r\n${size}\r\n{}\r\n0\r\n\r\n`,
  ),
  `${POST}${CHUNKED}\r\n2\r\n{}XX0\r\n\r\n`,
  `${POST}${CHUNKED}\r\n2\r\n{}\r\n0\r\nX-Trailer: 1\r\n\r\n`,
  // Lines and headers that are none.
  `${GET.replaceAll('\r\n', '\n')}\n`,
  `${GET.replaceAll('\r\n', '\r')}\r`,
  `${GET}X: 1\r\n folded\r\n\r\n`,
  `${GET}no colon\r\n\r\n`,
  `${GET}: empty\r\n\r\n`,
  `${GET}X\0: 1\r\n\r\n`,
  `${GET}${'X: 1\r\n'.repeat(3_000)}\r\n`,
  `${GET}X: ${'x'.repeat(20_000)}\r\n\r\n`,
  '\r\n\r\n\r\n\r\n',
  'GET\r\n\r\n',
  `GET ${'/x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  'GET /health\r\n\r\n',
  'GET  /health  HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /health HTTP/1.1\r\n\r\n',
  'GET /health HTTP/1.0\r\n\r\n',
  'GET /health HTTP/9.9\r\nHost: x\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n',
  // One after the other, and then nothing that is one.
  `${GET}\r\n${GET}\r\n${GET}\r\nGARBAGE\r\n\r\n`,
  `${GET}\r\n\0\0\0\0`,
  // Half of one.
  `${POST}Content-Length: 100\r\n\r\n{"date":`,
  POST,
];

/** A request that no client would send, over a connection of its own. */
export function rawRequest(random: Random): FuzzRequest {
  const noise = Buffer.from(
    Array.from({ length: 1 + below(random, 200) }, () => below(random, 256)),
  );
  const hello = Buffer.from([0x16, 3, 1, 0, 5, 1, 0, 0, 1, 0]);
  const shape = Buffer.from(pickOf(random, SHAPES), 'latin1');
  const bytes = pickOf(random, [shape, shape, shape, shape, shape, shape, noise, hello]);
  return {
    ...{ kind: 'raw', method: 'GET', bytes, ids: [] },
    ...{ operation: undefined, collection: undefined, key: undefined, requestId: undefined },
    ending: random() < 0.2 ? 'cut' : 'end',
  };
}
