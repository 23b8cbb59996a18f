import { timingSafeEqual } from 'node:crypto';
import type { ClientTokens } from './client-tokens.ts';
import type { RefusalKind } from './refusal-kinds.ts';
import type { TokenScope } from './token-record.ts';
import { bearerOf, digestOf, isMistyped } from './token-text.ts';

/** What somebody who brought a token may do. */
export interface Grant {
  readonly scope: TokenScope | 'operator';
  /** Who it is, for a log: `operator`, or the token's name. */
  readonly who: string;
}

/** What each token is good for: an operator's for everything, one that writes for reading, too. */
const ALLOWS: Readonly<Record<Grant['scope'], readonly Grant['scope'][]>> = {
  operator: ['operator', 'metrics', 'write', 'read'],
  write: ['write', 'read'],
  read: ['read'],
  metrics: ['metrics'],
};

export const allows = (granted: Grant['scope'], needed: Grant['scope']): boolean =>
  ALLOWS[granted].includes(needed);

/** What an `Authorization` header came to: a grant, or one sentence why there is none. `digest` is the
 *  SHA-256 of what was brought, in hex. */
export type Authentication =
  | { readonly grant: Grant; readonly digest: string }
  | { readonly refused: string; readonly kind: RefusalKind; readonly digest: string };

/** Weighs what somebody brings against the operators' token and the clients'. */
export class Credentials {
  readonly #operator: Buffer | undefined;
  readonly #clients: ClientTokens | undefined;

  /** Without an operators' token nobody is an operator; without clients' tokens nobody is a client. */
  constructor(known: {
    readonly operatorToken?: string | undefined;
    readonly clients?: ClientTokens | undefined;
  }) {
    this.#operator = known.operatorToken === undefined ? undefined : digestOf(known.operatorToken);
    this.#clients = known.clients;
  }

  /** Whether clients need a token at all. */
  get areClientsKnown(): boolean {
    return this.#clients?.areThere === true;
  }

  /** Takes the same time for every wrong token: only digests are compared. */
  authenticate(header: string | undefined): Authentication {
    const token = bearerOf(header);
    const bytes = digestOf(token);
    const digest = bytes.toString('hex');
    if (this.#operator !== undefined && timingSafeEqual(this.#operator, bytes)) {
      return { digest, grant: { scope: 'operator', who: 'operator' } };
    }
    const known = this.#clients?.find(bytes, digest);
    if (known?.isLive) return { digest, grant: { scope: known.scope, who: known.name } };
    if (known !== undefined) return { digest, kind: 'revoked', refused: 'This token was revoked.' };
    if (token === '') {
      const kind = header === undefined ? 'missing' : 'malformed';
      return { digest, kind, refused: 'Send a token as Authorization: Bearer ….' };
    }
    return isMistyped(token)
      ? { digest, kind: 'malformed', refused: 'This token is mistyped: its checksum is wrong.' }
      : { digest, kind: 'unknown', refused: 'This token is not known here.' };
  }
}
