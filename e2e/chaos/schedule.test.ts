import { seedOf } from '@tandem/storage/testing';
import { expect, test } from 'vitest';
import { FAULT_KINDS } from './fault-kinds.ts';
import { scheduleOf, scheduleText } from './schedule.ts';

const ALL = ['small disk', 'faketime'] as const;
const HOUR_MS = 3_600_000;

test('a seed gives the same schedule again, another seed another', () => {
  const seed = seedOf();
  const text = scheduleText(scheduleOf(seed, 120_000, ALL));
  expect(scheduleText(scheduleOf(seed, 120_000, ALL))).toBe(text);
  expect(scheduleText(scheduleOf(seed + 1, 120_000, ALL))).not.toBe(text);
});

test('an hour has every kind in every variant, within its round, and ends each round in a dual phase', () => {
  const seed = seedOf();
  const { rounds } = scheduleOf(seed, HOUR_MS, ALL);
  const drawn = new Set<string>();
  for (const { lengthMs, lanes, phases } of rounds) {
    expect(['json-primary', 'postgres-primary'], `seed ${seed}`).toContain(phases.at(-1)?.desired);
    for (const lane of lanes) {
      let freeMs = 0;
      for (const { atMs, kind, variant, holdMs } of lane) {
        expect(atMs, `seed ${seed}`).toBeGreaterThanOrEqual(freeMs);
        freeMs = atMs + holdMs;
        expect(freeMs, `seed ${seed}`).toBeLessThanOrEqual(lengthMs);
        drawn.add(`${kind} ${variant.replace(/^api-[12]/, 'api')}`);
      }
    }
  }
  const all = Object.entries(FAULT_KINDS).flatMap(([kind, { variants }]) =>
    variants.map((variant) => `${kind} ${variant}`),
  );
  expect([...drawn].sort(), `seed ${seed}`).toEqual([...new Set(all)].sort());
});

test('there are one or two apis, and what is aimed at an api names one that is there', () => {
  const seed = seedOf();
  const seen = new Set<number>();
  for (let n = 0; n < 40; n++) {
    const { apis, rounds } = scheduleOf(seed + n, HOUR_MS / 10, ALL);
    const variants = rounds.flatMap(({ lanes }) => lanes.flat().map(({ variant }) => variant));
    const aimed = variants
      .map((variant) => /^api-?(\d)?/.exec(variant))
      .filter((is) => is !== null);
    const numbers = new Set(aimed.map(([, number]) => Number(number)));
    expect([...numbers].sort(), `seed ${seed + n}`).toEqual([1, 2].slice(0, apis));
    seen.add(apis);
  }
  expect([...seen].sort(), `seeds from ${seed}`).toEqual([1, 2]);
});

test('what the machine can not do is left out', () => {
  const { rounds } = scheduleOf(seedOf(), HOUR_MS, []);
  const kinds = new Set(rounds.flatMap(({ lanes }) => lanes.flat().map(({ kind }) => kind)));
  expect(kinds).not.toContain('full-disk');
  expect(kinds).not.toContain('clock-step');
});
