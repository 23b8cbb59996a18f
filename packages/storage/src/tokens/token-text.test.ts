import { expect, test } from 'vitest';
import { bearerOf, isMistyped, mintToken } from './token-text.ts';

test('a token says what it is, holds 256 random bits, and checks itself', () => {
  const tokens = Array.from({ length: 100 }, () => mintToken('client'));
  expect(new Set(tokens).size).toBe(100);
  for (const token of tokens) {
    expect(token).toMatch(/^tdmc_[0-9A-Za-z]{49}$/);
    expect(isMistyped(token)).toBe(false);
  }
  expect(mintToken('operator')).toMatch(/^tdmo_[0-9A-Za-z]{49}$/);
});

test('one wrong, missing or additional character is told without any look-up', () => {
  const token = mintToken('client');
  for (let at = 0; at < token.length; at++) {
    const other = token[at] === 'a' ? 'b' : 'a';
    const wrong = token.slice(0, at) + other + token.slice(at + 1);
    // A token with another beginning is none of ours.
    expect(isMistyped(wrong), wrong).toBe(at >= 'tdmc_'.length);
  }
  expect(isMistyped(token.slice(0, -1))).toBe(true);
  expect(isMistyped(`${token}a`)).toBe(true);
  expect(isMistyped('tdmc_')).toBe(true);
  expect(isMistyped('a-token-that-somebody-else-made')).toBe(false);
});

test('only the whole of a bearer header is a token', () => {
  expect(bearerOf('Bearer a-token')).toBe('a-token');
  expect(bearerOf('bearer   a-token ')).toBe('a-token');
  for (const header of [undefined, '', 'Bearer', 'a-token', 'Basic a-token', 'Bearer a-token x']) {
    expect(bearerOf(header)).toBe('');
  }
});
