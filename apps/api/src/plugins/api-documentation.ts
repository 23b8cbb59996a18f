import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import plugin from 'fastify-plugin';

/** Everything the page needs comes from this server: it works offline and asks no other host. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; " +
  "object-src 'none'; base-uri 'self'; frame-ancestors 'self'";

/** OpenAPI 3.1 from the routes' own schemas at `/openapi.json`, and a page to read it at `/docs`. */
export const apiDocumentation = plugin(
  async (app: FastifyInstance) => {
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Tandem',
          version: '1',
          description:
            'Records that are written to one store and follow in the other. Every response has X-Request-Id: the caller’s, or a new one. Every error is `application/problem+json`.',
        },
      },
      refResolver: {
        buildLocalReference: (json, _base, _fragment, index) =>
          typeof json.$id === 'string' ? json.$id : `schema-${index}`,
      },
    });
    await app.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: CONTENT_SECURITY_POLICY,
      uiConfig: { validatorUrl: null, docExpansion: 'list', deepLinking: true },
    });

    let text: string | undefined;
    app.get('/openapi.json', { schema: { hide: true } }, (_request, reply) => {
      text ??= JSON.stringify(app.swagger());
      return reply.type('application/json; charset=utf-8').send(text);
    });
  },
  { name: 'api-documentation' },
);
