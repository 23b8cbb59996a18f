import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readExact, writeExact } from './exact-reader.ts';

const backslashes = (count: number): string => '\\'.repeat(count);

test('I8: members keep their order and numbers their spelling, also below', () => {
  const text = '{"b":1.0,"10":-0,"2":{"z":1e2,"1":[],"0":{}},"a":"\\u0000\\ud800"}';
  expect(writeExact(readExact(text))).toBe(text);
  expect(writeExact(readExact(' [ { "x" : null , "1" : [ true , false ] } ] '))).toBe(
    '[{"x":null,"1":[true,false]}]',
  );
  expect(writeExact(readExact('{"a":1,"b":2,"a":3,"__proto__":{"x":1}}'))).toBe(
    '{"a":3,"b":2,"__proto__":{"x":1}}',
  );
});

test('I8: a name is read as it is, whatever shapes were read before it', () => {
  for (let count = 0; count < 8; count++) {
    const before = `{"a":1," d${backslashes(4)}":1}`;
    JSON.parse(before);
    expect(writeExact(readExact(before))).toBe(before);
    const text = `{"a":1," d${backslashes(count)}"${count % 2 === 0 ? '' : '"'}:2}`;
    expect(writeExact(readExact(text))).toBe(text);
  }
});

test('reads what JSON.stringify writes, and refuses what JSON.parse refuses', () => {
  // Without names over which JSON.parse is not to be trusted.
  const value = fc.jsonValue({ noUnicodeString: false });
  fc.assert(
    fc.property(value, fc.constantFrom('', '  ', '\t', '\n '), (json, blank) => {
      const text = JSON.stringify(json, null, blank);
      fc.pre(!/\\\s*"\s*:/.test(text));
      expect(JSON.parse(writeExact(readExact(text)))).toEqual(JSON.parse(text));
    }),
    { numRuns: 200 },
  );
  const bits = [
    '',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '1',
    '01',
    '1.',
    '.5',
    '-',
    '+1',
    '1e',
    'nul',
  ];
  const pieces = fc.array(
    fc.constantFrom(...bits, 'true', 'null', '"a"', '"\u0001"', '"\\x"', '0'),
  );
  fc.assert(
    fc.property(pieces, (some) => {
      const text = some.join('');
      const isJson = (read: (text: string) => unknown): boolean => {
        try {
          read(text);
          return true;
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
          return false;
        }
      };
      expect(isJson(readExact), text).toBe(isJson(JSON.parse));
    }),
    { numRuns: 500 },
  );
});
