import { TandemError } from '@tandem/storage/errors';
import { type Credentials, type RefusalKind, RefusalLimit } from '@tandem/storage/tokens';
import Fastify, { type FastifyInstance } from 'fastify';
import { metricsRefusal } from './metrics-access.ts';
import type { Readiness } from './report.ts';

/** A probe is a line and a few headers: who takes longer is none. */
const SILENCE_MAX_MS = 30_000;

export interface HealthServerOptions {
  readonly host: string;
  readonly port: number;
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: {
    readonly contentType: string;
    /** Everything measured, as Prometheus text. */
    readonly text: () => Promise<string>;
    /** What Prometheus may send as `Authorization: Bearer …`. */
    readonly credentials: Credentials;
    /** Counts who is not shown them. */
    readonly refused: (kind: RefusalKind) => void;
  };
}

/**
 * Serves `/livez`, `/readyz` and, to whoever brings a token of the scope `metrics` or the operators', `/metrics`.
 * @throws {TandemError} `configuration` when the port is taken
 */
export async function startHealthServer(options: HealthServerOptions): Promise<FastifyInstance> {
  const { host, port, readiness, metrics } = options;
  const app = Fastify({
    logger: false,
    requestTimeout: SILENCE_MAX_MS,
    connectionTimeout: SILENCE_MAX_MS,
  });
  app.get('/livez', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_, reply) => {
    const answer = await readiness();
    return reply.code(answer.ready ? 200 : 503).send(answer);
  });
  const refusals = new RefusalLimit();
  app.get('/metrics', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    const refused = metricsRefusal(request, metrics.credentials, refusals);
    if (refused !== undefined) {
      const { kind, status, headers, detail } = refused;
      metrics.refused(kind);
      return reply.code(status).headers(headers).send({ detail });
    }
    const body = await metrics.text();
    return reply.type(metrics.contentType).send(body);
  });
  try {
    await app.listen({ host, port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new TandemError('configuration', `WORKER_PORT ${port} on ${host} is already in use.`);
  }
  return app;
}
