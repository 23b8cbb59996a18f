import { describe, expect, test } from 'vitest';
import { parseExact } from './exact-json.ts';
import { readCreate, readFieldUpdate, readUpdate } from './input.ts';
import { canonicalText, readRecord, withFields } from './record-text.ts';
import { loadCollections } from './registry.ts';

const [expense, income] = await loadCollections();
if (expense === undefined || income === undefined) throw new Error('expense and income expected');

const legacy = `{"date": "2025-11-02", "business": "ampm", "category": "Food", "amount": 100.0,
  "account": "12345", "currency": "\\u20aa", "notes": "", "id": 1}`;

describe('I8: the canonical text', () => {
  test('is the known fields in definition order, decimals exact, id last', () => {
    const read = readRecord(expense, legacy);
    expect(read.ok && canonicalText(expense, read, 1)).toBe(
      '{"date":"2025-11-02","business":"ampm","category":"Food","amount":100,"account":"12345","currency":"₪","notes":"","id":1}',
    );
  });

  test('keeps unknown fields in their order, with the spelling of their numbers', () => {
    const read = readRecord(
      income,
      '{"tag":1.0,"category":"c","id":7,"amount":"-0.00","date":"2024-02-29","deep":{"b":1e2,"a":[null,"₪"]},"account":"a"}',
    );
    const text =
      '{"date":"2024-02-29","category":"c","amount":0,"account":"a","currency":"₪","notes":null,"tag":1.0,"deep":{"b":1e2,"a":[null,"₪"]},"id":7}';
    expect(read.ok && canonicalText(income, read, 7)).toBe(text);
    const again = readRecord(income, text);
    expect(again.ok && canonicalText(income, again, 7)).toBe(text);
  });

  test('keeps strings as sent, also those that only look the same', () => {
    const notes = ['é', 'e\u0301', '\u202eabc', '👩‍👩‍👧', '"\\/\b\t', '__proto__', '\u2028'];
    for (const note of notes) {
      const body = { date: '2025-01-01', category: 'c', account: 'a', amount: '1', notes: note };
      const read = readCreate(expense, parseExact(JSON.stringify(body)));
      if (!read.ok) throw new Error('expected to be valid');
      const text = canonicalText(expense, { values: read.values, extra: null }, 1);
      expect(JSON.parse(text).notes).toBe(note);
    }
  });
});

describe('what the schema cannot hold', () => {
  test.each([
    ['date', '"2025-02-29"'],
    ['date', '"2025-1-1"'],
    ['date', '"0000-01-01"'],
    ['date', '20250101'],
    ['category', 'null'],
    ['amount', '0.1000000000000000055'],
    ['amount', '"ten"'],
    ['amount', 'true'],
    ['notes', '"\\u0000"'],
    ['notes', '"\\ud800"'],
    ['notes', '5'],
    ['notes', JSON.stringify('₪'.repeat(21_846))],
  ])('%s = %s is a problem of that field', (name, value) => {
    const field = expense.fields.find((f) => f.name === name);
    expect(field).toBeDefined();
    const result = readFieldUpdate(expense, name, parseExact(value));
    expect(result).toMatchObject({ ok: false, problems: [{ field: name }] });
  });

  test('65,536 bytes of text are held', () => {
    const text = `${'₪'.repeat(21_845)}a`;
    expect(readFieldUpdate(expense, 'notes', text)).toEqual({ ok: true, values: { notes: text } });
  });

  test('an unknown field with NUL or a lone surrogate is a problem, an escaped backslash is none', () => {
    const record = (extra: string) =>
      `{"date":"2025-01-01","category":"c","amount":1,"account":"a","x":${extra},"id":1}`;
    expect(readRecord(income, record('"\\u0000"')).ok).toBe(false);
    expect(readRecord(income, record('["\\udfff"]')).ok).toBe(false);
    expect(readRecord(income, record('"\\\\u0000"')).ok).toBe(true);
    expect(readRecord(income, record('"\\ud83d\\ude00"')).ok).toBe(true);
  });
});

describe('updates', () => {
  const text = '{"date":"never","category":"c","amount":1,"account":"a","tag":2.50,"id":3}';

  test('mend a mapping error when the result fits, and say what is missing when it does not', () => {
    expect(withFields(income, text, 3, { date: '2025-05-05' })).toEqual({
      ok: true,
      text: '{"date":"2025-05-05","category":"c","amount":1,"account":"a","currency":"₪","notes":null,"tag":2.50,"id":3}',
    });
    expect(withFields(income, text, 3, { notes: 'n' })).toMatchObject({
      ok: false,
      problems: [{ field: 'date' }],
    });
  });

  test('currency null means ₪; unknown and reserved properties never count', () => {
    const body = parseExact('{"currency":null,"id":9,"version":9,"epoch":9,"__proto__":{"x":1}}');
    expect(readUpdate(income, body)).toEqual({ ok: true, values: { currency: '₪' } });
    expect(({} as { x?: number }).x).toBeUndefined();
    expect(readFieldUpdate(income, 'business', 'b')).toBeUndefined();
    expect(readFieldUpdate(income, '__proto__', 'b')).toBeUndefined();
  });
});
