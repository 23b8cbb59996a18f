import type { FastifyInstance } from 'fastify';
import { problemResponses } from './problem-schemas.ts';

export interface MetricsOptions {
  readonly contentType: string;
  /** Everything measured, as Prometheus text. */
  readonly text: () => Promise<string>;
}

/** `/metrics` for Prometheus, which sends a token of the scope `metrics`, or the operators'; also from this machine. */
export function metrics(app: FastifyInstance, { contentType, text }: MetricsOptions): void {
  app.get(
    '/metrics',
    {
      logLevel: 'warn',
      config: { scope: 'metrics' },
      schema: {
        tags: ['health'],
        summary: 'What this process measures',
        description: 'Prometheus text. Nothing is asked of PostgreSQL: its part has its age in it.',
        security: [{ operatorToken: [] }, { clientToken: [] }],
        response: {
          200: {
            description: 'The metrics.',
            content: { 'text/plain': { schema: { type: 'string' } } },
          },
          ...problemResponses(['unauthorized', 'forbidden', 'rate-limited']),
        },
      },
    },
    async (_request, reply) => {
      const body = await text();
      return reply.type(contentType).send(body);
    },
  );
}
