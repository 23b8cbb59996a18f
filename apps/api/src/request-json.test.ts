import { isExactNumber, parseExact, stringifyExact } from '@tandem/storage/collections';
import { seedOf } from '@tandem/storage/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NESTING_MAX, readRequestJson } from './request-json.ts';

const read = (text: string) => readRequestJson(Buffer.from(text));
const nested = (levels: number) => `${'[{"a":'.repeat(levels / 2)}1${'}]'.repeat(levels / 2)}`;

describe('what is read', () => {
  test('I8: numbers keep their spelling', () => {
    const value = read('{"amount":0.1000000000000000055,"n":[1.50,-0,1e2]}') as { amount: unknown };
    expect(isExactNumber(value.amount)).toBe(true);
    expect(stringifyExact(value)).toBe('{"amount":0.1000000000000000055,"n":[1.50,-0,1e2]}');
  });

  test('the same name in different objects, and in strings, is no repetition', () => {
    const text = String.raw`{"a":{"a":[{"a":1},{"a":2}]},"b":"\"a\":1,\"a\":2\\","c":"{\"a\"","d":["a","a"]}`;
    expect(stringifyExact(read(text))).toBe(text);
  });

  test('nesting up to the bound', () => {
    expect(() => read(nested(NESTING_MAX))).not.toThrow();
  });

  test('__proto__ and constructor are plain properties and pollute nothing', () => {
    const value = read('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}');
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor']);
    expect('polluted' in {}).toBe(false);
  });
});

describe('what is refused', () => {
  test.each([
    ['the same name twice', '{"a":1,"b":2,"a":3}', 'a'],
    ['two spellings of one name', String.raw`{"amount":1,"\u0061mount":2}`, 'amount'],
    ['a name twice in an inner object', '[{"x":{"y":1,"y":1}}]', 'y'],
    ['the empty name twice', '{"":1,"":2}', ''],
    ['a name after an object as value', '{"a":{"b":[1,{"c":2}]},"a":3}', 'a'],
    ['__proto__ twice', '{"__proto__":1,"__proto__":2}', '__proto__'],
  ])('%s', (_what, text, field) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        code: 'invalid',
        detail: { errors: [{ field, problem: 'is given twice' }] },
      }),
    );
  });

  test.each([
    ['one level too many', nested(NESTING_MAX + 2)],
    ['a megabyte of brackets', '['.repeat(1_000_000)],
    ['a megabyte of objects', '{"a":'.repeat(200_000)],
  ])('%s, before anything recursive sees it', (_what, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });

  test.each([
    ['half an object', '{"a":1'],
    ['an unclosed string', String.raw`{"a":"\"`],
    ['an unclosed name', '{"a'],
    ['a bad escape in a name', String.raw`{"\x":1,"\x":2}`],
    ['a repeated name in what is no JSON', '{"a":1,"a":2,}'],
    ['closing brackets alone', ']}]}'],
    ['a word', 'NaN'],
    ['nothing but blanks', '  '],
    ['two values', '{} {}'],
  ])('%s is malformed', (_what, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });

  test('bytes that are no UTF-8 are malformed, not replaced', () => {
    const latin1 = Buffer.from('{"notes":"caf\xe9"}', 'latin1');
    expect(() => readRequestJson(latin1)).toThrow(expect.objectContaining({ code: 'malformed' }));
  });
});

describe('it agrees with parseExact', () => {
  const seed = seedOf();
  /** What `parseExact` makes of a text; `undefined` when it is no JSON. */
  const expected = (text: string): string | undefined => {
    try {
      return stringifyExact(parseExact(text));
    } catch {
      return undefined;
    }
  };
  /** What we make of it; `undefined` when it is no JSON, `refused` for a repeated name. */
  const actual = (text: string): string | undefined => {
    try {
      return stringifyExact(read(text));
    } catch (error) {
      const { code } = error as { code: string };
      return code === 'malformed' ? undefined : 'refused';
    }
  };
  const options = { seed, numRuns: 2_000 };
  const spaced = fc.tuple(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom('', ' ', '\t', '\n\r '));

  test(`about JSON (seed ${seed})`, () => {
    fc.assert(
      fc.property(spaced, ([value, blank]) => {
        const text = `${blank}${JSON.stringify(value, null, blank)}${blank}`;
        expect(actual(text)).toBe(expected(text));
      }),
      options,
    );
  });

  test(`about JSON with a mistake in it (seed ${seed})`, () => {
    const bits = fc.constantFrom(...'{}[]:,"\\ -+.eE0195tfnulrsa\u0000\n\u2028'.split(''), '');
    fc.assert(
      fc.property(spaced, fc.nat(), fc.nat(3), bits, ([value, blank], at, cut, bit) => {
        const whole = JSON.stringify(value, null, blank);
        const start = at % (whole.length + 1);
        const text = whole.slice(0, start) + bit + whole.slice(start + cut);
        // Over a backslash that a name ends with, `JSON.parse` may take the shape of an object it saw
        // before for this one's; the names with escapes are tried above, without mistakes.
        fc.pre(!text.includes('\\'));
        const made = actual(text);
        // A mistake may repeat a name, which parseExact does not mind.
        if (made === 'refused') expect(expected(text)).toBeDefined();
        else expect(made).toBe(expected(text));
      }),
      options,
    );
  });
});
