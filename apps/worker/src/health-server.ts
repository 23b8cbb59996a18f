import { TandemError } from '@tandem/storage/errors';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Readiness } from './report.ts';

export interface HealthServerOptions {
  readonly host: string;
  readonly port: number;
  readonly readiness: () => Promise<Readiness>;
}

/**
 * Serves `/livez` and `/readyz`.
 * @throws {TandemError} `configuration` when the port is taken
 */
export async function startHealthServer(options: HealthServerOptions): Promise<FastifyInstance> {
  const { host, port, readiness } = options;
  const app = Fastify({ logger: false });
  app.get('/livez', async () => ({ status: 'ok' }));
  app.get('/readyz', async (_, reply) => {
    const answer = await readiness();
    return reply.code(answer.ready ? 200 : 503).send(answer);
  });
  try {
    await app.listen({ host, port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    throw new TandemError('configuration', `WORKER_PORT ${port} on ${host} is already in use.`);
  }
  return app;
}
