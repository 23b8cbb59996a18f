import type { RequestMeter, TracedRequest, Tracing } from '@tandem/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';

declare module 'fastify' {
  interface FastifyRequest {
    /** While this request is traced. */
    traced?: TracedRequest | undefined;
  }
}

export interface MeasuringOptions {
  readonly requests: RequestMeter;
  /** The phase that answers count to. */
  readonly phase: () => string;
  readonly tracing?: Tracing | undefined;
}

/** Stands for every path that no route has. */
const NO_ROUTE = 'none';
/** Probes come every few seconds and tell nothing as a trace. */
const UNTRACED: readonly string[] = ['/health', '/livez', '/readyz', '/metrics'];

/**
 * Measures every request by its route, and traces it where tracing is on. Registered before any route:
 * each gets a hook of its own that knows its path. (Asking a request for its route makes an object of
 * twelve members, which would be most of what measuring costs.)
 */
export const measuring = plugin(
  async (app: FastifyInstance, { requests, phase, tracing }: MeasuringOptions) => {
    const measured =
      (route: string) =>
      (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
        const { statusCode: status, elapsedTime } = reply;
        const { method } = request;
        requests.ended({ method, route, status, phase: phase(), seconds: elapsedTime / 1_000 });
        request.traced?.end({ route, status });
        done();
      };
    app.addHook('onRoute', (route) => {
      const { onResponse = [] } = route;
      route.onResponse = [measured(route.url), onResponse].flat();
    });
    const withoutRoute = measured(NO_ROUTE);
    app.addHook('onResponse', (request, reply, done) => {
      if (request.is404) withoutRoute(request, reply, done);
      else done();
    });
    if (tracing === undefined) return;
    app.decorateRequest('traced', undefined);
    app.addHook('onRequest', (request, _reply, done) => {
      if (!UNTRACED.includes(request.routeOptions.url ?? NO_ROUTE)) {
        const { traceparent } = request.headers;
        request.traced = tracing.begin({
          method: request.method,
          traceparent: typeof traceparent === 'string' ? traceparent : undefined,
        });
      }
      done();
    });
  },
  { name: 'measuring' },
);
