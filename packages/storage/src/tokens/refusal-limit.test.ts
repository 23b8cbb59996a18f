import { expect, test } from 'vitest';
import { RefusalLimit } from './refusal-limit.ts';

const HERE = '192.0.2.1';

function limited() {
  let nowMs = 0;
  const limit = new RefusalLimit(() => nowMs);
  return { limit, pass: (ms: number) => (nowMs += ms) };
}

test('who guesses is not heard after ten refusals, until the minute is over', () => {
  const { limit, pass } = limited();
  const last = Array.from({ length: 10 }, () => limit.refused(HERE));
  expect(last).toEqual([...Array.from({ length: 9 }, () => false), true]);
  expect(limit.barredMs(HERE, 'right')).toBe(60_000);
  expect(limit.barredMs('192.0.2.2', 'right')).toBe(0);
  pass(59_000);
  expect(limit.barredMs(HERE, 'right')).toBe(1_000);
  pass(1_000);
  expect(limit.barredMs(HERE, 'right')).toBe(0);
  expect(limit.refused(HERE)).toBe(false);
});

test('who was accepted from there before goes on, and nobody else does', () => {
  const { limit } = limited();
  limit.accepted(HERE, 'the shop’s');
  for (let at = 0; at < 10; at++) limit.refused(HERE);
  expect(limit.barredMs(HERE, 'the shop’s')).toBe(0);
  expect(limit.barredMs(HERE, 'another')).toBeGreaterThan(0);
});

test('addresses of one IPv6 network count together, however they are written', () => {
  const { limit } = limited();
  for (let at = 1; at <= 10; at++) limit.refused(`2001:db8:0:7:${at}::${at}`);
  expect(limit.barredMs('2001:db8:0:7::1', 'right')).toBeGreaterThan(0);
  expect(limit.barredMs('2001:db8:0:8::1', 'right')).toBe(0);
  for (let at = 1; at <= 10; at++) limit.refused('::1');
  expect(limit.barredMs('::1', 'right')).toBeGreaterThan(0);
  // IPv4 in IPv6 is one address each.
  for (let at = 1; at <= 10; at++) limit.refused('::ffff:192.0.2.9');
  expect(limit.barredMs('::ffff:192.0.2.8', 'right')).toBe(0);
});

test('it forgets the oldest of very many addresses, and stays small', () => {
  const { limit } = limited();
  for (let at = 0; at < 10; at++) limit.refused(HERE);
  for (let at = 0; at < 10_000; at++) limit.refused(`10.0.${at >> 8}.${at & 255}`);
  expect(limit.barredMs(HERE, 'right')).toBe(0);
});
