import { expect, test } from 'vitest';
import { readConfiguration, refuseStrangers } from './configuration.ts';

test.each([
  [undefined, 0],
  ['', 0],
  ['0.05', 0.05],
  ['1', 1],
])('SHADOW_READ_RATE=%s is %s', (given, rate) => {
  const environment = given === undefined ? {} : { SHADOW_READ_RATE: given };
  expect(readConfiguration(environment).shadowReadRate).toBe(rate);
});

test.each(['-0.1', '1.01', 'a lot', 'NaN', '5%'])('SHADOW_READ_RATE=%s is refused', (given) => {
  expect(() => readConfiguration({ SHADOW_READ_RATE: given })).toThrow(
    `SHADOW_READ_RATE is "${given}"; it must be a number from 0 to 1.`,
  );
});

test('strangers are let in only where somebody says so', () => {
  const of = (environment: Record<string, string>, areClientsKnown: boolean) => () =>
    refuseStrangers(readConfiguration(environment), areClientsKnown);
  for (const HOST of ['127.0.0.1', '127.8.0.1', 'localhost', '::1']) {
    expect(of({ HOST }, false)).not.toThrow();
  }
  for (const HOST of ['0.0.0.0', '::', '192.0.2.1', 'example.org', '127.0.0.1.example.org']) {
    expect(of({ HOST }, false), HOST).toThrow(/^HOST is .+, which other machines can reach; /);
    expect(of({ HOST }, true)).not.toThrow();
    expect(of({ HOST, ALLOW_ANONYMOUS_CLIENTS: 'true' }, false)).not.toThrow();
  }
});

test('tokens for clients and everybody at once are refused', () => {
  const of = (CLIENT_TOKENS: string) => () =>
    readConfiguration({ CLIENT_TOKENS, ALLOW_ANONYMOUS_CLIENTS: 'yes' });
  expect(of('write:a-token-of-the-shop')).toThrow(/^CLIENT_TOKENS is given and ALLOW_ANONYMOUS/);
  expect(of('metrics:token-of-prometheus')).not.toThrow();
  expect(() => readConfiguration({ CLIENT_TOKENS: 'secret' })).toThrow(/^CLIENT_TOKENS must be/);
  expect(() => readConfiguration({ CLIENT_TOKENS: 'secret' })).not.toThrow(/secret/);
});

test('trusted proxies are addresses and networks', () => {
  const of = (TRUSTED_PROXIES: string) => readConfiguration({ TRUSTED_PROXIES }).trustedProxies;
  expect(of('')).toEqual([]);
  const known = ['loopback', '10.0.0.0/8', '192.0.2.1', '2001:db8::/32'];
  expect(of(known.join(' , '))).toEqual(known);
  for (const wrong of ['all', '10.0.0.0/33', '10.0.0.0/', '300.0.0.1', '10.0.0.1,', '*']) {
    expect(() => of(wrong), wrong).toThrow(/^TRUSTED_PROXIES has "/);
  }
});

test('limits have units, or are refused by name', () => {
  expect(readConfiguration({})).toMatchObject({
    rateLimits: { reads: undefined, writes: undefined },
    memoryLimitBytes: undefined,
  });
  expect(readConfiguration({ RATE_LIMIT_WRITES: '600', MEMORY_LIMIT: '2g' })).toMatchObject({
    rateLimits: { reads: undefined, writes: 600 },
    memoryLimitBytes: 2 ** 31,
  });
  for (const MEMORY_LIMIT of ['512', '0M', '1T', 'much']) {
    expect(() => readConfiguration({ MEMORY_LIMIT })).toThrow(/^MEMORY_LIMIT is/);
  }
  for (const RATE_LIMIT_READS of ['0', '-1', '1.5', 'few']) {
    expect(() => readConfiguration({ RATE_LIMIT_READS })).toThrow(/^RATE_LIMIT_READS is/);
  }
});
