import { type Spread, spreadOf } from './turns.ts';

/** One line of the bench's table: a bar of the issue, and what was measured. */
export interface Result {
  readonly bar: string;
  readonly relation: '≥' | '≤' | '>';
  readonly limit: number;
  readonly unit: string;
  readonly measured: Spread;
  /** The figures behind it, as a reader would ask for them. */
  readonly raw: string;
}

export function result(
  bar: string,
  limit: { readonly relation: Result['relation']; readonly value: number; readonly unit?: string },
  values: readonly number[],
  raw: string,
): Result {
  const { relation, value, unit = '' } = limit;
  return { bar, relation, limit: value, unit, measured: spreadOf(values), raw };
}

export const isMet = ({ relation, limit, measured }: Result): boolean =>
  relation === '≤'
    ? measured.median <= limit
    : relation === '≥'
      ? measured.median >= limit
      : measured.median > limit;

const spell = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(2);

/** `0.91 (0.84 … 0.97)`: median, lowest and highest turn. */
const spellSpread = ({ median, low, high }: Spread, unit = ''): string =>
  `${spell(median)}${unit} (${spell(low)} … ${spell(high)})`;

export const spellAll = (values: readonly number[], unit = ''): string =>
  spellSpread(spreadOf(values), unit);

/** A Markdown table. */
export function tableOf(results: readonly Result[]): string {
  const rows = results.map((one) => {
    const limit = `${one.relation} ${one.limit}${one.unit}`;
    const measured = spellSpread(one.measured, one.unit);
    return `| ${one.bar} | ${limit} | ${measured} | ${isMet(one) ? 'yes' : 'NO'} | ${one.raw} |`;
  });
  const head = '| bar | limit | measured: median (lowest … highest turn) | met | figures |';
  return [head, '|---|---|---|---|---|', ...rows].join('\n');
}
