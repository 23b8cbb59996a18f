import { describe, expect, test } from 'vitest';
import { loadCollections } from '../collections/index.ts';
import { dayOf, dayText, RecordDates } from './record-date.ts';

describe('days as numbers', () => {
  test('every calendar day is told apart, grows with time, and is turned back', () => {
    let before = 0;
    for (const year of [1, 4, 99, 1900, 1999, 2000, 2024, 2025, 9999]) {
      for (let at = Date.UTC(2000, 0, 1); at < Date.UTC(2001, 0, 1); at += 86_400_000) {
        const text = `${String(year).padStart(4, '0')}${new Date(at).toISOString().slice(4, 10)}`;
        const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
        if (text.endsWith('-02-29') && !isLeap) {
          expect(dayOf(text)).toBe(0);
          continue;
        }
        const day = dayOf(text);
        expect(day).toBeGreaterThan(before);
        expect(dayText(day)).toBe(text);
        before = day;
      }
    }
  });

  test('a list place of the last day and highest id is an exact number', () => {
    expect(Number.isSafeInteger(dayOf('9999-12-31') * 2 ** 31 + (2 ** 31 - 1))).toBe(true);
  });

  test.each([
    '',
    '2025-00-10',
    '2025-13-01',
    '2025-04-31',
    '0000-01-01',
    '2025/01/01',
    '2025-1-011',
  ])('there is no day %j', (text) => {
    expect(dayOf(text)).toBe(0);
  });

  test('a record has the day of its own date field, wherever that stands', async () => {
    const [expense] = await loadCollections();
    if (expense === undefined) throw new Error('There is no collection.');
    const dates = new RecordDates(expense);
    expect(dayText(dates.of('{"date":"2025-12-07","id":1}'))).toBe('2025-12-07');
    expect(dayText(dates.of('{"id":1,"date":"2025-12-07"}'))).toBe('2025-12-07');
    expect(dates.of('{"date":"2025-12-07T10:00","id":1}')).toBe(0);
    expect(dates.of('{"date":"yesterday","id":1}')).toBe(0);
    expect(dates.of('{"id":1}')).toBe(0);
  });
});
