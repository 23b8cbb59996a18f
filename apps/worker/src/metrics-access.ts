import {
  allows,
  type Credentials,
  type RefusalKind,
  type RefusalLimit,
} from '@tandem/storage/tokens';
import type { FastifyRequest } from 'fastify';

/** Why somebody is not shown the metrics. */
export interface MetricsRefusal {
  readonly kind: RefusalKind;
  readonly status: 401 | 403 | 429;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: string;
}

/** What keeps a request from the metrics; `undefined` if it brings a token that may read them. */
export function metricsRefusal(
  { headers, ip }: FastifyRequest,
  credentials: Credentials,
  refusals: RefusalLimit,
): MetricsRefusal | undefined {
  const { authorization } = headers;
  const { digest, ...found } = credentials.authenticate(authorization);
  const barredMs = authorization === undefined ? 0 : refusals.barredMs(ip, digest);
  if (barredMs > 0) {
    const wait = { 'retry-after': String(Math.ceil(barredMs / 1_000)) };
    return {
      ...{ kind: 'barred', status: 429 },
      headers: wait,
      detail: 'Too many tokens from this address were refused.',
    };
  }
  if ('refused' in found) {
    if (authorization !== undefined) refusals.refused(ip);
    const challenge = { 'www-authenticate': 'Bearer realm="tandem"' };
    return { kind: found.kind, status: 401, headers: challenge, detail: found.refused };
  }
  refusals.accepted(ip, digest);
  const { scope } = found.grant;
  if (allows(scope, 'metrics')) return undefined;
  const detail = `This token may ${scope}, and not see the metrics.`;
  return { kind: 'scope', status: 403, headers: {}, detail };
}
