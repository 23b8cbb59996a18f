import { describe, expect, test } from 'vitest';
import { describeProgress, progressOf } from './progress.ts';
import { DELAY_MAX_MS, nextDuty, restMs } from './throttle.ts';

describe('I5: a catch-up gives way to live requests', () => {
  test('it halves its share while they suffer, never below a tenth', () => {
    let duty = 1;
    const seen: number[] = [];
    for (let look = 0; look < 6; look += 1) {
      duty = nextDuty(duty, DELAY_MAX_MS + 1);
      seen.push(duty);
    }
    expect(seen).toEqual([0.5, 0.25, 0.125, 0.1, 0.1, 0.1]);
  });

  test('it takes it back step by step once they do not', () => {
    let duty = 0.1;
    for (let look = 0; look < 8; look += 1) duty = nextDuty(duty, DELAY_MAX_MS);
    expect(duty).toBe(0.9);
    expect(nextDuty(nextDuty(duty, 0), 0)).toBe(1);
  });

  test('rest makes work that share of the time', () => {
    expect(restMs(1, 30)).toBe(0);
    expect(restMs(0.5, 30)).toBe(30);
    expect(restMs(0.1, 30)).toBeCloseTo(270);
  });
});

describe('progress', () => {
  test('rate and time left', () => {
    const progress = progressOf(120_000, 1_000_000, 1_500);
    expect(progress).toEqual({ done: 120_000, total: 1e6, perSecond: 80_000, secondsLeft: 11 });
    expect(describeProgress(progress)).toBe(
      '120,000 of 1,000,000 (12 %), 80,000 a second, 11 s left',
    );
  });

  test('nothing done yet, an empty source, a source that grew', () => {
    expect(progressOf(0, 10, 0)).toMatchObject({ perSecond: 0, secondsLeft: null });
    expect(describeProgress(progressOf(0, 0, 5))).toBe('0 of 0 (100 %), 0 a second');
    expect(progressOf(12, 10, 1_000)).toMatchObject({ done: 12, total: 12, secondsLeft: 0 });
  });
});
