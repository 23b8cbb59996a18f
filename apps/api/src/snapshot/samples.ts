import type { SnapshotSamples } from '@tandem/telemetry/snapshot';

/** Half an hour at one every 2 s. */
const SAMPLES_MAX = 900;

const COLUMNS = ['backlog', 'lag', 'written', 'applied', 'failed', 'deadLetters'] as const;
type Column = (typeof COLUMNS)[number];

/** What is noted every 2 s; `null`: not known. */
export type Sample = Readonly<Record<Column, number | null>>;

/** The samples of the last half hour. One that is equal to its predecessor is left out: while nothing
 *  happens nothing new is told. */
export class Samples {
  readonly #at: number[] = [];
  readonly #samples: Sample[] = [];

  add(atMs: number, sample: Sample): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && COLUMNS.every((name) => last[name] === sample[name])) return;
    this.#at.push(atMs);
    this.#samples.push(sample);
    if (this.#at.length <= SAMPLES_MAX) return;
    this.#at.shift();
    this.#samples.shift();
  }

  /** Those after an instant, in ms since 1970. */
  after(atMs: number): SnapshotSamples {
    const from = this.#at.findIndex((at) => at > atMs);
    const some = from < 0 ? [] : this.#samples.slice(from);
    const column = (name: Column) => some.map((sample) => sample[name]);
    const columns = COLUMNS.map((name) => [name, column(name)] as const);
    return {
      at: from < 0 ? [] : this.#at.slice(from),
      ...(Object.fromEntries(columns) as Record<Column, (number | null)[]>),
    };
  }
}
