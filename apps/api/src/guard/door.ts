//   scope       passes with
//   read        a client's token (read, write) or the operators', or nothing where no client is known
//   write       a client's token (write) or the operators', or nothing where no client is known
//   metrics     a metrics token or the operators'
//   operator    the operators' token, or the console's cookie
import { allows, type Credentials, type RefusalKind, RefusalLimit } from '@tandem/storage/tokens';
import type { FastifyRequest } from 'fastify';
import type { Problem } from '../problem.ts';
import type { ConsoleSessions } from './console-session.ts';
import type { Scope } from './scopes.ts';

export interface DoorOptions {
  readonly credentials: Credentials;
  /** What the console sends instead of the token, once it has exchanged it. */
  readonly sessions?: ConsoleSessions | undefined;
  /** `ALLOW_ANONYMOUS_CLIENTS`: clients may come without a token although there are tokens. */
  readonly allowAnonymous?: boolean | undefined;
  /** Counts who is not let in. */
  readonly onRefused?: ((kind: RefusalKind) => void) | undefined;
}

type Needed = Exclude<Scope, 'public'>;

/** The header that a page of another origin can't send without being asked first (CORS). */
const CONSOLE_HEADER = 'x-tandem-console';
const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

const FOREIGN: Problem = {
  code: 'forbidden',
  detail: 'With the console’s cookie, this needs X-Tandem-Console: 1 and the same origin.',
};

/** Decides who may pass; the same for every route of a scope. */
export class Door {
  readonly #options: DoorOptions;
  readonly #refusals = new RefusalLimit();

  constructor(options: DoorOptions) {
    this.#options = options;
  }

  /** Whether clients of the records pass without being looked at. */
  get isOpen(): boolean {
    return this.#options.allowAnonymous === true || !this.#options.credentials.areClientsKnown;
  }

  /** What keeps a request from a route of this scope; `undefined` if it may pass. */
  refusal(request: FastifyRequest, needed: Needed): Problem | undefined {
    const { authorization, cookie } = request.headers;
    if (authorization === undefined && needed === 'operator' && cookie !== undefined) {
      return this.#ofConsole(request);
    }
    const { credentials } = this.#options;
    const { ip } = request;
    const { digest, ...found } = credentials.authenticate(authorization);
    // Who brings nothing guesses nothing.
    const isTry = authorization !== undefined;
    const barredMs = isTry ? this.#refusals.barredMs(ip, digest) : 0;
    if (barredMs > 0) return this.#refused('barred', barred(barredMs));
    if ('refused' in found) {
      if (isTry && this.#refusals.refused(ip)) {
        request.log.warn({ address: ip }, `Too many tokens from ${ip} were refused.`);
      }
      return this.#refused(found.kind, { code: 'unauthorized', detail: found.refused });
    }
    this.#refusals.accepted(ip, digest);
    if (allows(found.grant.scope, needed)) return undefined;
    const { who, scope } = found.grant;
    const detail = `The token of ${who} may ${scope}; this needs ${needed}.`;
    return this.#refused('scope', { code: 'forbidden', detail });
  }

  #refused(kind: RefusalKind, problem: Problem): Problem {
    this.#options.onRefused?.(kind);
    return problem;
  }

  /**
   * A request with the console's cookie that changes something comes from its own page.
   * `SameSite=Strict` keeps the cookie from other sites, yet another port of this host is the same
   * site: its pages can send simple requests with the cookie, but neither this header nor our origin.
   */
  #ofConsole(request: FastifyRequest): Problem | undefined {
    const { cookie, origin } = request.headers;
    if (this.#options.sessions?.read(cookie) === undefined) {
      const detail = 'There is no session, or it has ended.';
      return this.#refused('session', { code: 'unauthorized', detail });
    }
    if (SAFE_METHODS.includes(request.method)) return undefined;
    if (request.headers[CONSOLE_HEADER] !== '1') return this.#refused('origin', FOREIGN);
    const isOurs =
      origin === undefined ||
      (URL.canParse(origin) && new URL(origin).host === request.host.toLowerCase());
    return isOurs ? undefined : this.#refused('origin', FOREIGN);
  }
}

const barred = (barredMs: number): Problem => ({
  code: 'rate-limited',
  detail: 'Too many tokens from this address were refused; no other is looked at for a while.',
  retryAfterS: Math.ceil(barredMs / 1_000),
});
