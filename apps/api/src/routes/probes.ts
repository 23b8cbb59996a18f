import { sentenceOf } from '@tandem/storage/errors';
import type { FastifyInstance } from 'fastify';
import type { Readiness } from '../readiness.ts';
import { readinessSchema } from './probe-schemas.ts';

/** Probes come every few seconds: they are not worth a line each. */
const QUIET = { logLevel: 'warn', config: { scope: 'public' } } as const;

const statusOnly = (description: string) => ({
  description,
  type: 'object',
  required: ['status'],
  properties: { status: { type: 'string', const: 'ok' } },
  examples: [{ status: 'ok' }],
});

/** `/health` and `/livez` say that the process turns, `/readyz` whether it serves. */
export function probes(
  app: FastifyInstance,
  readiness: () => Readiness | Promise<Readiness>,
): void {
  app.get(
    '/health',
    {
      ...QUIET,
      schema: {
        tags: ['health'],
        summary: 'Is the process there?',
        response: { 200: statusOnly('It is.') },
      },
    },
    () => ({ status: 'ok' }),
  );
  app.get(
    '/livez',
    {
      ...QUIET,
      schema: {
        tags: ['health'],
        summary: 'Does the process turn? (restart it if not)',
        response: { 200: statusOnly('It does.') },
      },
    },
    () => ({ status: 'ok' }),
  );
  app.get(
    '/readyz',
    {
      ...QUIET,
      schema: {
        tags: ['health'],
        summary: 'Does the primary serve? (send requests here if so)',
        description:
          'A secondary, queue or relay that fails is `degraded` in the body and fails no request.',
        response: {
          200: { description: 'The primary serves.', ...readinessSchema },
          503: { description: 'The primary does not serve.', ...readinessSchema },
        },
      },
    },
    async (request, reply) => {
      reply.header('cache-control', 'no-store');
      try {
        const state = await readiness();
        return reply.code(state.ready ? 200 : 503).send(state);
      } catch (error) {
        request.log.error({ err: error }, 'readiness can not be told');
        return reply.code(503).send({ ready: false, status: 'unready', detail: sentenceOf(error) });
      }
    },
  );
}
