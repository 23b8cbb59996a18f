// What hostile requests are put together from.

/** Methods that there are, elsewhere or nowhere. */
export const METHODS = [
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT', 'PROPFIND'],
  ...['QUERY', 'PURGE', 'get', 'FOO', 'G\u00cbT', ''],
];
/** Parts of a path, or values of a query, that no route expects. */
export const ODD_PARTS = [
  ...['0', '-1', '01', '1.0', '1e3', '+1', '2147483648', '99999999999999999999', '１', '٣', ' '],
  ...[
    '../../../etc/passwd',
    '..',
    '.',
    '\0',
    '1\0',
    "1' OR '1'='1",
    '1;DROP TABLE expenses',
    '%2e%2e%2f',
  ],
  ...[
    '%',
    '%zz',
    '__proto__',
    'constructor',
    'bulk-delete',
    'null',
    'x'.repeat(101),
    'x'.repeat(3_000),
  ],
];
/** Queries that readers take differently. */
export const ODD_QUERIES = [
  ...[
    'limit=1&limit=2',
    'limit[]=1',
    'limit=%00',
    'limit=',
    'cursor=%',
    'cursor=AAAA',
    '__proto__=1',
  ],
  ...[
    '__proto__[x]=1',
    '%',
    '&&&',
    '=',
    'a'.repeat(5_000),
    'limit=1;cursor=2',
    '?',
    '\u00ff',
    '#x',
  ],
];
/** Headers beside those that a request needs. */
export const ODD_HEADERS: readonly (readonly [string, string])[] = [
  ...[
    ['X-Request-Id', 'a b'],
    ['X-Request-Id', 'x'.repeat(129)],
    ['If-Match', '"'],
    ['If-Match', ''],
  ],
  ...[
    ['If-None-Match', '"\u00ff", W/"1-1"'],
    ['Idempotency-Key', ''],
    ['Idempotency-Key', 'a b'],
  ],
  ...[
    ['Idempotency-Key', 'x'.repeat(256)],
    ['Idempotency-Key', '\u00e9'],
    ['Content-Type', 'text/plain'],
  ],
  ...[
    ['Content-Type', 'application/json;charset=utf-16'],
    ['Content-Type', ';'],
    ['Content-Type', ''],
  ],
  ...[
    ['Content-Encoding', 'gzip'],
    ['Expect', '100-continue'],
    ['Expect', 'tea'],
    ['Upgrade', 'websocket'],
  ],
  ...[
    ['Connection', 'upgrade'],
    ['Connection', 'close'],
    ['Connection', 'x-request-id'],
    ['TE', 'trailers'],
  ],
  ...[
    ['Range', 'bytes=0-1'],
    ['Accept', 'text/html'],
    ['Accept', 'x'],
    ['Accept-Encoding', 'gzip'],
  ],
  ...[
    ['Origin', 'null'],
    ['Cookie', 'tandem_session=x; a="\\'],
    ['Host', ''],
    ['Host', 'a@b:99999'],
  ],
  ...[
    ['X-HTTP-Method-Override', 'DELETE'],
    ['X-Forwarded-For', '::1'],
    ['X', '\u0001'],
    ['X', 'y\0'],
  ],
  ...[
    ['Authorization', 'Bearer'],
    ['traceparent', '00-0-0-00'],
    ['X', 'x'.repeat(8_000)],
    ['a b', 'c'],
  ],
] as [string, string][];
