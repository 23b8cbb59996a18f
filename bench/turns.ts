/** Several measurements of one thing. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const { length } = sorted;
  if (length === 0) throw new Error('Nothing was measured.');
  const at = (index: number): number => sorted[index] as number;
  const middle = Math.floor(length / 2);
  const median = length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
  return { median, low: at(0), high: at(length - 1) };
}

/**
 * Measures several things in turns (A B C, C B A, A B C …), so that what else the machine does meets
 * all of them alike, and none always comes first.
 * @returns by name, one measurement a turn; those of one index were taken right after each other
 */
export async function inTurns<Name extends string, Measured>(
  turns: number,
  runs: Readonly<Record<Name, () => Promise<Measured>>>,
): Promise<Record<Name, Measured[]>> {
  const names = Object.keys(runs) as Name[];
  const measured = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    Measured[]
  >;
  for (let turn = 0; turn < turns; turn++) {
    const order = turn % 2 === 0 ? names : [...names].reverse();
    for (const name of order) measured[name].push(await runs[name]());
  }
  return measured;
}

/** Turn by turn, `a` over `b`. */
export const ratiosOf = (a: readonly number[], b: readonly number[]): number[] =>
  a.map((value, turn) => value / (b[turn] as number));
