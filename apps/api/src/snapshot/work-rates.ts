import type { LiveProcess, ProcessWork } from '@tandem/storage/phase';

type Counting = Pick<LiveProcess, 'id' | 'work' | 'seenAt'>;

/** What all processes together do in a second. */
export interface Rates {
  readonly written: number;
  readonly applied: number;
  readonly failed: number;
  /** The longest way to the secondary of what arrived lately, in seconds; `null`: nothing did. */
  readonly lagSeconds: number | null;
}

const COUNTS = ['written', 'applied', 'failed'] as const;
type Counts = Readonly<Record<(typeof COUNTS)[number], number>>;

const NOTHING: Counts = { written: 0, applied: 0, failed: 0 };
const MS_A_SECOND = 1_000;

interface Known {
  readonly work: ProcessWork;
  readonly seenAtMs: number;
  /** In a second, between its last two signs of life. */
  readonly rates: Counts;
}

/** Makes rates of what each process says it has done since it began. */
export class WorkRates {
  #known: ReadonlyMap<string, Known> = new Map();

  /** @param live everybody who is there; one that was not there before says nothing yet */
  look(live: readonly Counting[]): Rates {
    const known = new Map<string, Known>();
    for (const { id, work, seenAt } of live) {
      if (work !== null) known.set(id, next(this.#known.get(id), work, Date.parse(seenAt)));
    }
    this.#known = known;
    const all = [...known.values()];
    const sum = (name: keyof Counts) =>
      rounded(all.reduce((total, { rates }) => total + rates[name], 0));
    const lags = all.flatMap(({ work: { lagMs } }) => (lagMs === null ? [] : [lagMs]));
    return {
      ...{ written: sum('written'), applied: sum('applied'), failed: sum('failed') },
      lagSeconds: lags.length === 0 ? null : rounded(Math.max(...lags) / MS_A_SECOND),
    };
  }
}

/** A look that finds no newer sign of life leaves the rates as they were. */
function next(last: Known | undefined, work: ProcessWork, seenAtMs: number): Known {
  if (last === undefined) return { work, seenAtMs, rates: NOTHING };
  const ms = seenAtMs - last.seenAtMs;
  if (ms <= 0) return last;
  const rates = COUNTS.map((name) => [name, ((work[name] - last.work[name]) / ms) * MS_A_SECOND]);
  return { work, seenAtMs, rates: Object.fromEntries(rates) as Counts };
}

/** How shadow reads of all processes ended since each began. */
export function shadowReadsOf(live: readonly Counting[]): ProcessWork['shadowReads'] {
  const sum = { equal: 0, lag: 0, mismatch: 0, dropped: 0, failed: 0 };
  for (const { work } of live) {
    for (const end of Object.keys(sum) as (keyof typeof sum)[]) {
      sum[end] += work?.shadowReads[end] ?? 0;
    }
  }
  return sum;
}

const rounded = (value: number): number => Math.round(Math.max(0, value) * 10) / 10;
