import { expect, test } from 'vitest';
import { ConsoleSessions, SESSION_SECONDS } from './console-session.ts';

const TOKEN = 'the-operators-token';
const START_MS = Date.UTC(2025, 11, 7);

/** What a browser sends back for a `Set-Cookie`. */
const sent = (cookie: string): string => cookie.slice(0, cookie.indexOf(';'));

test('a session counts at every process with the same token, until it runs out', () => {
  let now = START_MS;
  const here = new ConsoleSessions(TOKEN, () => now);
  const elsewhere = new ConsoleSessions(TOKEN, () => now);
  const { session, cookie } = here.open(false);
  expect(session.expiresAtMs).toBe(START_MS + SESSION_SECONDS * 1_000);
  expect(cookie).toMatch(
    /^tandem_session=[\w.-]+; Path=\/api\/v1\/migration; Max-Age=43200; HttpOnly; SameSite=Strict$/,
  );
  expect(here.open(true).cookie).toMatch(/; Secure$/);
  expect(elsewhere.read(sent(cookie))).toEqual(session);
  expect(elsewhere.read(`a=b; ${sent(cookie)}; c=d`)).toEqual(session);
  now = session.expiresAtMs;
  expect(elsewhere.read(sent(cookie))).toBeUndefined();
});

test('another token, another expiry, a changed or closed session: none counts', () => {
  const sessions = new ConsoleSessions(TOKEN, () => START_MS);
  const { session, cookie } = sessions.open(false);
  const [, value = ''] = sent(cookie).split('=');
  const [, id, signature] = value.split('.');
  expect(new ConsoleSessions(`${TOKEN}2`, () => START_MS).read(sent(cookie))).toBeUndefined();
  for (const forged of [
    '',
    value.slice(0, -1),
    `zzzzzz.${id}.${signature}`,
    `${value}x`,
    `${value}.x`,
    'NaN..',
  ]) {
    expect(sessions.read(`tandem_session=${forged}`), forged).toBeUndefined();
  }
  expect(sessions.read(`x${sent(cookie)}`)).toBeUndefined();
  expect(sessions.read(undefined)).toBeUndefined();
  expect(sessions.close(session, false)).toMatch(/^tandem_session=; .*Max-Age=0;/);
  expect(sessions.read(sent(cookie))).toBeUndefined();
  expect(sessions.read(sent(sessions.open(false).cookie))).toBeDefined();
});
