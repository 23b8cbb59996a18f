import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify';
import plugin from 'fastify-plugin';
import { pathOf } from '../request-log.ts';
import { sendProblem } from './problems.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The route has a handler only to say that the path lacks the method. */
    refuses?: boolean;
  }
}

/** A path as the routes have it, and its methods. */
interface KnownPath {
  readonly segments: readonly string[];
  readonly methods: Set<string>;
}

/** `:id` stands for a segment, `*` for the rest. */
const matches = ({ segments }: KnownPath, path: readonly string[]): boolean =>
  segments.at(-1) === '*'
    ? path.length >= segments.length && sameSegments(segments.slice(0, -1), path)
    : path.length === segments.length && sameSegments(segments, path);

const sameSegments = (segments: readonly string[], path: readonly string[]): boolean =>
  segments.every((segment, at) =>
    segment.startsWith(':') ? path[at] !== '' : segment === path[at],
  );

/**
 * What is answered where a path lacks the method: 405 with `Allow`, 204 with it to `OPTIONS`, and 404
 * where there is no such path. Before a body is read, and at no cost to a request that has its route.
 */
export const pathMethods = plugin(
  async (app: FastifyInstance) => {
    const paths = new Map<string, KnownPath>();
    app.addHook('onRoute', ({ url, method, config }: RouteOptions) => {
      if (config?.refuses === true || url === '*') return;
      const known = paths.get(url) ?? { segments: url.split('/'), methods: new Set() };
      for (const one of [method].flat()) known.methods.add(one);
      paths.set(url, known);
    });

    /** Names are compared as they are sent: a path that is spelled otherwise is told as missing. */
    const allowOf = (path: string): string | undefined => {
      const segments = path.split('/');
      const known = [...paths.values()].filter((one) => matches(one, segments));
      // `/expense/bulk-delete` is no `/expense/:id`.
      const literal = known.find((one) => !one.segments.some((name) => name.startsWith(':')));
      const methods = (literal ?? known[0])?.methods;
      return methods === undefined ? undefined : [...methods, 'OPTIONS'].sort().join(', ');
    };

    function answer(request: FastifyRequest, reply: FastifyReply): FastifyReply {
      const { method } = request;
      const path = pathOf(request.url);
      const allow = allowOf(path);
      if (allow === undefined) {
        return sendProblem(reply, { code: 'not-found', detail: `There is no ${method} ${path}.` });
      }
      reply.header('allow', allow);
      if (method === 'OPTIONS') return reply.code(204).send();
      const detail = `${path} has no ${method}; it has ${allow}.`;
      return sendProblem(reply, { code: 'method-not-allowed', detail });
    }

    // A scope of its own: the hook is for what has no route.
    await app.register((scope, _options, done) => {
      scope.addHook('onRequest', async (request, reply) => answer(request, reply));
      scope.setNotFoundHandler(answer);
      done();
    });
  },
  { name: 'path-methods' },
);
