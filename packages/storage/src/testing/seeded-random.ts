/** Numbers from 0 to below 1 that a seed repeats (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A seed for a random test: `TANDEM_SEED` replays one. The test prints it when it fails. */
export function seedOf(): number {
  const given = process.env.TANDEM_SEED;
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}

/** A whole number from 0 to below `end`. */
export const below = (random: () => number, end: number): number => Math.floor(random() * end);

export function pickOf<T>(random: () => number, items: readonly T[]): T {
  if (items.length === 0) throw new Error('Nothing to pick from.');
  return items[below(random, items.length)] as T;
}

export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const copy = [...items];
  for (let last = copy.length - 1; last > 0; last--) {
    const other = below(random, last + 1);
    [copy[last], copy[other]] = [copy[other] as T, copy[last] as T];
  }
  return copy;
}
