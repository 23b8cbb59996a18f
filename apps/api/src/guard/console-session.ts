import { createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';

/** The name of the console's cookie. */
export const SESSION_COOKIE = 'tandem_session';
/** How long a session lasts; it is never prolonged. */
export const SESSION_SECONDS = 12 * 3_600;
/** Sessions that were closed and have not run out. The oldest is forgotten beyond that. */
const CLOSED_MAX = 10_000;

const PATH = '/api/v1/migration';
const ID_BYTES = 16;
const COOKIE = new RegExp(`(?:^|; *)${SESSION_COOKIE}=([\\w-]+)\\.([\\w-]+)\\.([\\w-]+)(?:;|$)`);

/** A session that a cookie stands for. */
export interface ConsoleSession {
  readonly id: string;
  /** In ms since 1970. */
  readonly expiresAtMs: number;
}

/**
 * The console's sessions: `expiry.id.signature`, signed with a key that is made of the operators' token.
 * Nothing is stored, so a session outlives a restart of the api and counts at every api process, and a
 * new token ends all of them. Closing one is remembered by this process until the session runs out.
 */
export class ConsoleSessions {
  readonly #key: Buffer;
  readonly #now: () => number;
  readonly #closed = new Map<string, number>();

  /** @param now the time in ms since 1970 */
  constructor(operatorToken: string, now: () => number = Date.now) {
    const key = hkdfSync('sha256', operatorToken, '', 'tandem console session', 32);
    this.#key = Buffer.from(key);
    this.#now = now;
  }

  /** A new session's `Set-Cookie`. `secure`: it may only travel over TLS. */
  open(secure: boolean): { readonly session: ConsoleSession; readonly cookie: string } {
    const expiresAtMs = (Math.floor(this.#now() / 1_000) + SESSION_SECONDS) * 1_000;
    const session = { id: randomBytes(ID_BYTES).toString('base64url'), expiresAtMs };
    const text = signedText(session);
    const value = `${text}.${this.#signature(text).toString('base64url')}`;
    return { session, cookie: cookieOf(value, SESSION_SECONDS, secure) };
  }

  /** The session that a `Cookie` header brings, if it is ours, open, and has not run out. */
  read(header: string | undefined): ConsoleSession | undefined {
    const [, expiry = '', id = '', signature = ''] = COOKIE.exec(header ?? '') ?? [];
    const session = { id, expiresAtMs: Number.parseInt(expiry, 36) * 1_000 };
    const expected = this.#signature(`${expiry}.${id}`);
    const brought = Buffer.from(signature, 'base64url');
    if (brought.length !== expected.length || !timingSafeEqual(brought, expected)) return undefined;
    return session.expiresAtMs > this.#now() && !this.#closed.has(id) ? session : undefined;
  }

  /** Ends a session. @returns the `Set-Cookie` that removes it */
  close(session: ConsoleSession, secure: boolean): string {
    const now = this.#now();
    for (const [id, expiresAtMs] of this.#closed) {
      // In the order of closing; most have the same length, so the run-out ones stand at the front.
      if (expiresAtMs > now && this.#closed.size < CLOSED_MAX) break;
      this.#closed.delete(id);
    }
    this.#closed.set(session.id, session.expiresAtMs);
    return cookieOf('', 0, secure);
  }

  #signature(text: string): Buffer {
    return createHmac('sha256', this.#key).update(text).digest();
  }
}

const signedText = ({ id, expiresAtMs }: ConsoleSession): string =>
  `${(expiresAtMs / 1_000).toString(36)}.${id}`;

const cookieOf = (value: string, seconds: number, secure: boolean): string =>
  `${SESSION_COOKIE}=${value}; Path=${PATH}; Max-Age=${seconds}; HttpOnly; SameSite=Strict` +
  (secure ? '; Secure' : '');
