import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { sendProblem } from '../plugins/problems.ts';
import type { Problem } from '../problem.ts';
import type { Door } from './door.ts';
import { LIBRARY_FILES, LIBRARY_ROUTES, SCOPES, type Scope } from './scopes.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whom the route is for; the API is not built with a route that does not say it. */
    scope?: Scope;
    /** `@fastify/cors` leaves a route alone that says so. */
    cors?: false;
  }
  interface FastifyInstance {
    /** Every route with its scope, in the order they were added. */
    routeScopes: RouteScope[];
  }
}

/** Whom a route is for. */
export interface RouteScope {
  readonly method: string;
  readonly url: string;
  readonly scope: Scope;
}

export interface AccessOptions {
  readonly door: Door;
  /** Whether there is too little memory to serve records. */
  readonly memory: { readonly isOver: boolean };
}

const SHORT_OF_MEMORY: Problem = {
  code: 'overloaded',
  detail: 'The service is short of memory. Nothing was written; try again in a moment.',
  retryAfterS: 2,
};

type Guard = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

/**
 * Lets nobody in whom a route's scope does not name. Registered before any route: each gets a hook of
 * its own, which runs before the body is read; a public one gets none. A route without a scope fails
 * the build.
 * @throws {Error} for a route that declares no scope
 */
export const access = plugin(
  async (app: FastifyInstance, { door, memory }: AccessOptions) => {
    const guards = guardsOf(door, memory);
    app.decorate('routeScopes', []);
    app.addHook('onRoute', (route) => {
      const methods = [route.method].flat();
      const { url } = route;
      const scope = scopeOf(methods, url, route.config?.scope);
      app.routeScopes.push(...methods.map((method) => ({ method, url, scope })));
      // A page of another origin, which CORS_ORIGIN lets read records, has nothing to do here.
      if (scope === 'operator' || scope === 'metrics')
        route.config = { ...route.config, cors: false };
      if (scope !== 'public') route.onRequest = [guards[scope], route.onRequest ?? []].flat();
    });
  },
  { name: 'access' },
);

function scopeOf(methods: readonly string[], url: string, declared: Scope | undefined): Scope {
  // A library's `HEAD` goes with the `GET` that Fastify made it from.
  const [method = ''] = methods.map((one) => (one === 'HEAD' ? 'GET' : one));
  const route = `${method} ${url}`;
  const ofLibrary = LIBRARY_FILES.some((path) => route.startsWith(path))
    ? 'public'
    : LIBRARY_ROUTES[route];
  const scope = declared ?? ofLibrary;
  if (scope !== undefined && SCOPES.includes(scope)) return scope;
  throw new Error(`${methods} ${url} declares no scope: whom is it for?`);
}

function guardsOf(
  door: Door,
  memory: AccessOptions['memory'],
): Readonly<Record<Exclude<Scope, 'public'>, Guard>> {
  const known =
    (needed: 'metrics' | 'operator'): Guard =>
    (request, reply, done) => {
      reply.header('cache-control', 'no-store');
      const refused = door.refusal(request, needed);
      if (refused === undefined) done();
      else refuse(reply, refused);
    };
  const client =
    (needed: 'read' | 'write'): Guard =>
    (request, reply, done) => {
      // The path of every record: two properties are read where anybody may pass.
      let refused = memory.isOver ? SHORT_OF_MEMORY : undefined;
      if (!door.isOpen) refused = door.refusal(request, needed) ?? refused;
      if (refused === undefined) done();
      else refuse(reply, refused);
    };
  return {
    read: client('read'),
    write: client('write'),
    metrics: known('metrics'),
    operator: known('operator'),
  };
}

function refuse(reply: FastifyReply, refused: Problem): void {
  if (refused.code === 'unauthorized') reply.header('www-authenticate', 'Bearer realm="tandem"');
  sendProblem(reply, refused);
}
