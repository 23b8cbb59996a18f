import type { RequestMeter, TracedRequest, Tracing } from '@tandem/telemetry';
import type { FastifyInstance } from 'fastify';
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

/** Measures every request by its route, and traces it where tracing is on. */
export const measuring = plugin(
  async (app: FastifyInstance, { requests, phase, tracing }: MeasuringOptions) => {
    app.addHook('onResponse', (request, reply, done) => {
      requests.ended({
        method: request.method,
        route: request.routeOptions.url ?? NO_ROUTE,
        status: reply.statusCode,
        phase: phase(),
        seconds: reply.elapsedTime / 1_000,
      });
      done();
    });
    if (tracing === undefined) return;
    app.decorateRequest('traced', undefined);
    app.addHook('onRequest', (request, _reply, done) => {
      const { url } = request.routeOptions;
      if (url === undefined || !UNTRACED.includes(url)) {
        const { traceparent } = request.headers;
        request.traced = tracing.begin({
          method: request.method,
          traceparent: typeof traceparent === 'string' ? traceparent : undefined,
        });
      }
      done();
    });
    app.addHook('onResponse', (request, reply, done) => {
      const route = request.routeOptions.url ?? NO_ROUTE;
      request.traced?.end({ route, status: reply.statusCode });
      done();
    });
  },
  { name: 'measuring' },
);
