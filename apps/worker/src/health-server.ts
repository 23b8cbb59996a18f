import { TandemError } from '@tandem/storage/errors';
import { bearsToken } from '@tandem/storage/operator-token';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Readiness } from './report.ts';

export interface HealthServerOptions {
  readonly host: string;
  readonly port: number;
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: {
    readonly contentType: string;
    /** Everything measured, as Prometheus text. */
    readonly text: () => Promise<string>;
    /** What Prometheus sends as `Authorization: Bearer …`: the operators' token. Without one nobody is
     *  answered. */
    readonly token: string | undefined;
  };
}

/**
 * Serves `/livez`, `/readyz` and, to whoever brings the operators' token, `/metrics`.
 * @throws {TandemError} `configuration` when the port is taken
 */
export async function startHealthServer(options: HealthServerOptions): Promise<FastifyInstance> {
  const { host, port, readiness, metrics } = options;
  const app = Fastify({ logger: false });
  app.get('/livez', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_, reply) => {
    const answer = await readiness();
    return reply.code(answer.ready ? 200 : 503).send(answer);
  });
  app.get('/metrics', async (request, reply) => {
    reply.header('cache-control', 'no-store');
    const { token } = metrics;
    if (token === undefined || !bearsToken(request.headers.authorization, token)) {
      reply.header('www-authenticate', 'Bearer realm="tandem operators"');
      return reply
        .code(401)
        .send({ detail: 'Send the operators’ token as Authorization: Bearer ….' });
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
