import { Problem, problemOf } from './problem.ts';
import { endSession } from './session.ts';

export const BASE = '/api/v1/migration';
/** An answer that takes longer is given up. */
const ANSWER_TIMEOUT_MS = 30_000;

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

export interface Asking {
  readonly body?: object;
  /** The entity tag of what is there already: the answer may be that it is still good. */
  readonly etag?: string | undefined;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

export interface Answer<T> {
  /** `undefined`: what the entity tag stood for is still good. */
  readonly value: T | undefined;
  readonly etag: string | undefined;
}

/**
 * Asks the operators' API; `path` follows `/api/v1/migration`. A refused authentication ends the session.
 * @throws {Problem}
 */
export async function ask<T>(
  method: Method,
  path: string,
  { body, etag, signal, timeoutMs = ANSWER_TIMEOUT_MS }: Asking = {},
): Promise<Answer<T>> {
  const timeout = AbortSignal.timeout(timeoutMs);
  let answer: Response;
  try {
    answer = await fetch(`${BASE}${path}`, {
      method,
      cache: 'no-store',
      credentials: 'same-origin',
      redirect: 'error',
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      headers: {
        // A page of another origin can't send it, and so can't use the session's cookie.
        'x-tandem-console': '1',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(etag === undefined ? {} : { 'if-none-match': etag }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    if (signal?.aborted) throw signal.reason;
    throw new Problem(
      timeout.aborted ? 'The API did not answer in time.' : 'The API can not be reached.',
      0,
    );
  }
  if (answer.status === 304) return { value: undefined, etag };
  if (answer.status === 401) endSession('The session has ended: sign in again.');
  if (!answer.ok) throw await problemOf(answer);
  const value = answer.status === 204 ? undefined : ((await answer.json()) as T);
  return { value, etag: answer.headers.get('etag') ?? undefined };
}

/** @throws {Problem} */
export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  const { value } = await ask<T>('GET', path, signal === undefined ? {} : { signal });
  return value as T;
}

/** @throws {Problem} */
export async function send<T>(method: Method, path: string, body: object): Promise<T> {
  const { value } = await ask<T>(method, path, { body });
  return value as T;
}
