import { bearsToken } from '@tandem/storage/operator-token';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import { sendProblem } from '../plugins/problems.ts';
import type { Problem } from '../problem.ts';
import type { ConsoleSessions } from './console-session.ts';
import { LIBRARY_ROUTES, SCOPES, type Scope } from './scopes.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whom the route is for; the API is not built with a route that does not say it. */
    scope?: Scope;
  }
}

export interface AccessOptions {
  /** What operators send as `Authorization: Bearer …`; without one nobody is an operator. */
  readonly operatorToken?: string | undefined;
  /** What the console sends instead, once it has exchanged the token. */
  readonly sessions?: ConsoleSessions | undefined;
}

/** The header that a page of another origin can't send without being asked first (CORS). */
const CONSOLE_HEADER = 'x-tandem-console';

const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

const UNAUTHORIZED: Problem = {
  code: 'unauthorized',
  detail: 'Operators send their token as Authorization: Bearer ….',
};
const FOREIGN: Problem = {
  code: 'forbidden',
  detail: `A request with the console’s cookie needs X-Tandem-Console: 1 and comes from the same origin.`,
};

type Guard = (request: FastifyRequest, reply: FastifyReply, done: () => void) => void;

/**
 * Lets nobody in whom a route's scope does not name. Registered before any route: each gets a hook of
 * its own, which runs before the body is read; a public one gets none. A route without a scope fails
 * the build.
 * @throws {Error} for a route that declares no scope
 */
export const access = plugin(
  async (app: FastifyInstance, options: AccessOptions) => {
    const guards = guardsOf(options);
    app.addHook('onRoute', (route) => {
      const methods = [route.method].flat();
      for (const method of methods) {
        const named = route.config?.scope ?? libraryScope(method, route.url);
        if (named === undefined || !SCOPES.includes(named)) {
          throw new Error(`${method} ${route.url} declares no scope: whom is it for?`);
        }
      }
      const scope = route.config?.scope ?? 'public';
      const guard = guards[scope];
      if (guard !== undefined) route.onRequest = [guard, route.onRequest ?? []].flat();
    });
  },
  { name: 'access' },
);

/** `HEAD` goes with the `GET` that Fastify made it from. */
const libraryScope = (method: string, url: string): Scope | undefined =>
  LIBRARY_ROUTES[`${method === 'HEAD' ? 'GET' : method} ${url}`];

function guardsOf(options: AccessOptions): Readonly<Partial<Record<Scope, Guard>>> {
  const operators: Guard = (request, reply, done) => {
    reply.header('cache-control', 'no-store');
    const refused = refusalOf(request, options);
    if (refused === undefined) return done();
    if (refused === UNAUTHORIZED) {
      reply.header('www-authenticate', 'Bearer realm="tandem operators"');
    }
    sendProblem(reply, refused);
  };
  return { operator: operators, metrics: operators };
}

/** What keeps a request from the operators' routes; `undefined` if it may pass. */
function refusalOf(request: FastifyRequest, options: AccessOptions): Problem | undefined {
  const { operatorToken, sessions } = options;
  const { authorization, cookie } = request.headers;
  if (authorization !== undefined) {
    const isOperator = operatorToken !== undefined && bearsToken(authorization, operatorToken);
    return isOperator ? undefined : UNAUTHORIZED;
  }
  if (sessions?.read(cookie) === undefined) return UNAUTHORIZED;
  return SAFE_METHODS.includes(request.method) || isOfConsole(request) ? undefined : FOREIGN;
}

/**
 * Whether a request that changes something comes from the console's own page. `SameSite=Strict` keeps
 * the cookie from other sites, yet another port of this host is the same site: its pages can send
 * simple requests with the cookie, but neither this header nor our origin.
 */
function isOfConsole(request: FastifyRequest): boolean {
  const { origin, host } = request.headers;
  if (request.headers[CONSOLE_HEADER] !== '1') return false;
  return origin === undefined || (URL.canParse(origin) && new URL(origin).host === host);
}
