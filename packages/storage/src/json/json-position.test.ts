import { expect, test } from 'vitest';
import { lineAt, lineOfElement, offsetOfSyntaxError } from './json-position.ts';

test.each([
  ['[1,]', 3],
  ['[1 2]', 3],
  ['{"a":1,}', 7],
  ['{"a" 1}', 5],
  ['{a:1}', 1],
  ['[NaN]', 1],
  ['[01]', 2],
  ['["a\tb"]', 3],
  ['["\\x"]', 1],
  ['[1]\n 2', 5],
  ['[1', 2],
  ['', 0],
  ['[1}', 2],
  ['[{"a":[{}]},\n\n  oops]', 16],
])('%j stops being JSON at %i', (text, offset) => {
  expect(() => JSON.parse(text)).toThrow(SyntaxError);
  expect(offsetOfSyntaxError(text)).toBe(offset);
});

test('lines count from 1', () => {
  expect([0, 1, 2, 3].map((offset) => lineAt('a\n\nb', offset))).toEqual([1, 1, 2, 3]);
});

test('the line of an element, whatever stands in those before it', () => {
  const text = '[\n {"a":"],[\\"{"},\n\n [1,\n2], 5\n,"x",\n{}]';
  expect([0, 1, 2, 3, 4].map((index) => lineOfElement(text, index))).toEqual([2, 4, 5, 6, 7]);
});
