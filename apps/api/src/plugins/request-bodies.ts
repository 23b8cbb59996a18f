import type { FastifyInstance } from 'fastify';
import plugin from 'fastify-plugin';

/**
 * Takes JSON bodies as the bytes they were sent: the routes read them exactly (`request-json.ts`),
 * the fingerprint of an idempotency key is made of them, and nothing is coerced or stripped on the
 * way. Any other content type is 415. Schemas are documentation only.
 */
export const requestBodies = plugin(
  async (app: FastifyInstance) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, bytes, done) =>
      done(null, bytes),
    );
    app.setValidatorCompiler(() => () => true);
    app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  },
  { name: 'request-bodies' },
);
