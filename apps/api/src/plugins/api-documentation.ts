import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import plugin from 'fastify-plugin';

/** Everything the page needs comes from this server: it works offline and asks no other host. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; " +
  "object-src 'none'; base-uri 'self'; frame-ancestors 'self'";

interface OpenApiDocument {
  components?: Record<string, unknown>;
  paths?: Record<string, Record<string, OpenApiOperation>>;
}
interface OpenApiOperation {
  parameters?: object[];
  responses: Record<string, { headers?: Record<string, object> }>;
}

const REQUEST_ID = { type: 'string', pattern: '^[\\w.:-]{1,128}$' };

/** Adds the request id, which every request may bring and every response has. */
function withRequestId(document: OpenApiDocument): Record<string, unknown> {
  document.components = {
    ...document.components,
    headers: {
      RequestId: { description: 'The caller’s X-Request-Id, or a new one.', schema: REQUEST_ID },
    },
    parameters: {
      RequestId: {
        name: 'X-Request-Id',
        in: 'header',
        description: 'Names the request in the log; taken over if it has this form.',
        schema: REQUEST_ID,
      },
    },
  };
  for (const operations of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(operations)) {
      const { parameters = [], responses } = operation;
      operation.parameters = [...parameters, { $ref: '#/components/parameters/RequestId' }];
      for (const response of Object.values(responses)) {
        const own = response.headers;
        response.headers = { 'X-Request-Id': { $ref: '#/components/headers/RequestId' }, ...own };
      }
    }
  }
  return { ...document };
}

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
        components: { securitySchemes: { operatorToken: { type: 'http', scheme: 'bearer' } } },
      },
      // Of every request and response alike, so it is written once and not in each route.
      transformObject: (document) =>
        'openapiObject' in document
          ? withRequestId(document.openapiObject as OpenApiDocument)
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
