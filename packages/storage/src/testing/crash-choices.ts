import { below } from './seeded-random.ts';
import type { Component } from './simulated-disk.ts';

/**
 * What a crash may leave: for each component the index of one of its versions. All of them where
 * there are at most `limit`; else a sample that has the extremes (nothing, everything) and, drawn by
 * the seed, cuts in time, all but one, only one, and any mixture.
 */
export function* crashChoices(
  components: readonly Component[],
  limit: number,
  random: () => number,
): Generator<readonly number[]> {
  const product = components.reduce((sum, { length }) => Math.min(sum * length, limit + 1), 1);
  if (product <= limit) yield* everyChoice(components);
  else yield* sampledChoices(components, limit, random);
}

function* everyChoice(components: readonly Component[]): Generator<readonly number[]> {
  const choices = components.map(() => 0);
  for (;;) {
    yield [...choices];
    let at = 0;
    while (at < choices.length) {
      choices[at] = ((choices[at] ?? 0) + 1) % (components[at]?.length ?? 1);
      if (choices[at] !== 0) break;
      at++;
    }
    if (at === choices.length) return;
  }
}

function* sampledChoices(
  components: readonly Component[],
  limit: number,
  random: () => number,
): Generator<readonly number[]> {
  const newest = components.map(({ length }) => length - 1);
  const oldest = components.map(() => 0);
  const ticks = [...new Set(components.flat())].sort((a, b) => a - b);
  const seen = new Set<string>();
  for (let tries = 0; seen.size < limit && tries < 4 * limit; tries++) {
    const one = below(random, components.length);
    const version = below(random, components[one]?.length ?? 1);
    const cut = ticks[below(random, ticks.length)] ?? 0;
    const ways = [
      () => components.map((versions) => versions.findLastIndex((tick) => tick <= cut)),
      () => newest.with(one, version),
      () => oldest.with(one, version),
      () => components.map(({ length }) => below(random, length)),
    ];
    const choices =
      tries === 0
        ? oldest
        : tries === 1
          ? newest
          : (ways[below(random, ways.length)]?.() ?? oldest);
    const name = choices.join('.');
    if (seen.has(name)) continue;
    seen.add(name);
    yield choices;
  }
}
