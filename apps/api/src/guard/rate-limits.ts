import rateLimit from '@fastify/rate-limit';
import { bearerDigest } from '@tandem/storage/tokens';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import plugin from 'fastify-plugin';
import type { Door } from './door.ts';

/** Requests that one client may send in a minute; `undefined` for as many as it likes. */
export interface RateLimits {
  /** `RATE_LIMIT_READS` */
  readonly reads?: number | undefined;
  /** `RATE_LIMIT_WRITES` */
  readonly writes?: number | undefined;
}

const WINDOW_MS = 60_000;
/** Clients that are counted at a time; of more, the one not seen for longest starts anew. */
const CLIENTS_MAX = 10_000;

/**
 * Bounds what one client may ask of the record routes: a token, or an address where none is needed.
 * Registered after `access`, so that whoever is refused there counts to nobody. Each api process
 * counts by itself.
 */
export const rateLimits = plugin(
  async (
    app: FastifyInstance,
    { door, limits }: { readonly door: Door; readonly limits: RateLimits },
  ) => {
    await app.register(rateLimit, { global: false, enableDraftSpec: true });
    // A token that nobody looks at names nobody.
    const keyGenerator = ({ headers, ip }: FastifyRequest): string =>
      door.isOpen ? ip : bearerDigest(headers.authorization);
    const limited = (max: number | undefined) =>
      max === undefined
        ? []
        : [app.rateLimit({ max, timeWindow: WINDOW_MS, cache: CLIENTS_MAX, keyGenerator })];
    const hooks = { read: limited(limits.reads), write: limited(limits.writes) };
    app.addHook('onRoute', (route) => {
      const scope = route.config?.scope;
      if (scope !== 'read' && scope !== 'write') return;
      route.onRequest = [route.onRequest ?? [], hooks[scope]].flat();
    });
  },
  { name: 'rate-limits' },
);
