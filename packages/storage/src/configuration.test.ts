import { expect, test } from 'vitest';
import { readConfiguration } from './configuration.ts';

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
