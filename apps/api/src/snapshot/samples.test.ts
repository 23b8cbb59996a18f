import { expect, test } from 'vitest';
import { Samples } from './samples.ts';

const sample = (backlog: number) => {
  return { backlog, lag: 0, written: null, applied: null, failed: null, deadLetters: 0 };
};

test('equal samples in a row are one; who has some is given the later ones', () => {
  const samples = new Samples();
  expect(samples.after(0).at).toEqual([]);
  for (const [at, backlog] of [1, 1, 2, 2, 2, 1].entries()) samples.add(at * 10, sample(backlog));
  expect(samples.after(-1)).toMatchObject({ at: [0, 20, 50], backlog: [1, 2, 1] });
  expect(samples.after(0)).toMatchObject({ at: [20, 50], written: [null, null] });
  expect(samples.after(50)).toMatchObject({ at: [], backlog: [] });
});

test('no more than half an hour of samples is kept', () => {
  const samples = new Samples();
  for (let at = 0; at < 2_000; at += 1) samples.add(at, sample(at));
  expect(samples.after(-1).at).toHaveLength(900);
  expect(samples.after(-1).at.at(-1)).toBe(1_999);
});
