import { spellAll } from '../result.ts';
import type { Fired } from './cannon.ts';

export const rates = (fired: readonly Fired[]): number[] => fired.map(({ perSecond }) => perSecond);

/** `17,000 req/s (…), p99 5 ms (…)`. */
export const figures = (fired: readonly Fired[]): string =>
  `${spellAll(rates(fired), ' req/s')}, p99 ${spellAll(
    fired.map(({ p99Ms }) => p99Ms),
    ' ms',
  )}`;
