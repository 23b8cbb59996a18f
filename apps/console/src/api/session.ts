//   #token=… in the address ──▶ exchanged for a cookie ──▶ in ── 401, or signed out ──▶ out
//                     without ──▶ asked for the cookie ──▶ in, or out
import { signal } from '@preact/signals';
import { problemOf } from './problem.ts';

export type Session =
  | { readonly state: 'asking' }
  | { readonly state: 'in' }
  /** `why` is a sentence, `null` where nobody has tried. */
  | { readonly state: 'out'; readonly why: string | null };

export const session = signal<Session>({ state: 'asking' });

const URL = '/api/v1/migration/session';
const UNREACHABLE = 'The API can not be reached.';
const FRAGMENT = /^#token=(\S+)$/;
/** Begins a session with the token in the address, which is taken out of it, or goes on with one. */
export async function resume(): Promise<void> {
  const [, token] = FRAGMENT.exec(location.hash) ?? [];
  if (token === undefined) return goOn();
  history.replaceState(null, '', `${location.pathname}#/`);
  await signIn(decodeURIComponent(token));
}

async function goOn(): Promise<void> {
  const answer = await asked('GET');
  if (answer?.ok) session.value = { state: 'in' };
  else session.value = { state: 'out', why: answer === undefined ? UNREACHABLE : null };
}

/** Exchanges the operators' token for a session. */
export async function signIn(token: string): Promise<void> {
  const answer = await asked('POST', { authorization: `Bearer ${token}` });
  if (answer === undefined) {
    session.value = { state: 'out', why: UNREACHABLE };
  } else if (answer.ok) {
    session.value = { state: 'in' };
  } else if (answer.status === 401) {
    session.value = { state: 'out', why: 'The API does not know this token.' };
  } else {
    session.value = { state: 'out', why: (await problemOf(answer)).message };
  }
}

export async function signOut(): Promise<void> {
  await asked('DELETE');
  endSession(null);
}

export function endSession(why: string | null): void {
  if (session.value.state !== 'out') session.value = { state: 'out', why };
}

async function asked(
  method: string,
  headers: Record<string, string> = {},
): Promise<Response | undefined> {
  try {
    return await fetch(URL, {
      method,
      cache: 'no-store',
      credentials: 'same-origin',
      headers: { 'x-tandem-console': '1', ...headers },
    });
  } catch {
    return undefined;
  }
}
