import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import plugin from 'fastify-plugin';
import { problemSamples } from '../routes/problem-schemas.ts';
import { completed, type OpenApiDocument } from './openapi-document.ts';

/** Everything the page needs comes from this server: it works offline and asks no other host. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; " +
  "object-src 'none'; base-uri 'self'; frame-ancestors 'self'";

const SECURITY_SCHEMES = {
  operatorToken: {
    type: 'http' as const,
    scheme: 'bearer',
    description: '`OPERATOR_TOKEN`, or what `$DATA_DIR/operator-token` holds.',
  },
  clientToken: {
    type: 'http' as const,
    scheme: 'bearer',
    description: 'Of `tandem token create`; records need one from the first one on.',
  },
  consoleSession: {
    type: 'apiKey' as const,
    in: 'cookie',
    name: 'tandem_session',
    description: 'The console’s, in exchange for the operator token.',
  },
};

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
          license: { name: 'MIT', identifier: 'MIT' },
        },
        servers: [{ url: '/' }],
        components: { securitySchemes: SECURITY_SCHEMES },
      },
      // Of every request and response alike, so it is written once and not in each route.
      transformObject: (document) =>
        'openapiObject' in document
          ? completed(document.openapiObject as OpenApiDocument, problemSamples)
          : document.swaggerObject,
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
    const documented = { config: { scope: 'public' }, schema: { hide: true } } as const;
    app.get('/openapi.json', documented, (_request, reply) => {
      text ??= JSON.stringify(app.swagger());
      return reply.type('application/json; charset=utf-8').send(text);
    });
  },
  { name: 'api-documentation' },
);
