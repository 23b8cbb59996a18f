import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import helmet from 'helmet';

/** What a browser may do with an answer of this API: nothing. Pages name what they need themselves. */
const setHeaders = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      'default-src': ["'none'"],
      'base-uri': ["'none'"],
      'form-action': ["'none'"],
      'frame-ancestors': ["'none'"],
    },
  },
  xFrameOptions: { action: 'deny' },
  // Whoever ends TLS decides for how long, and for which hosts, there is no way back from it.
  strictTransportSecurity: false,
});

const withHeaders = (request: FastifyRequest, reply: FastifyReply, done: () => void): void =>
  setHeaders(request.raw, reply.raw, () => done());

/**
 * Helmet's headers on every route but those of the records, whose answers are JSON that no browser
 * shows: there `nosniff` alone stays (`app.ts`), as a dozen headers would be most of a small answer.
 * (`@fastify/helmet` would run two hooks in every request, also of routes that it is off for.)
 * Registered after `access`: a refusal has the headers, too.
 */
export const securityHeaders = plugin(
  async (app: FastifyInstance) => {
    app.addHook('onRoute', (route) => {
      const scope = route.config?.scope;
      if (scope === 'read' || scope === 'write') return;
      route.onRequest = [withHeaders, route.onRequest ?? []].flat();
    });
  },
  { name: 'security-headers' },
);
