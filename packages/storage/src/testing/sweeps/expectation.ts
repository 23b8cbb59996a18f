import type { Collection } from '../../collections/index.ts';
import { phaseText, type StoreModel } from './model.ts';

/** What a disk may hold, and must, if the machine stops now. Never changed, only replaced. */
export interface Expectation {
  /** The acknowledged state first, then those that calls under way lead to. */
  readonly states: readonly StoreModel[];
  /** The acknowledged phase first. */
  readonly phases: readonly string[];
  /** By collection name: what its checkpoint file may hold, as compact JSON. */
  readonly files: Readonly<Record<string, ReadonlySet<string>>>;
  /** The checkpoint files must be there. */
  readonly filesThere: boolean;
  /** Highest `seq` that the store was told is in the queue. */
  readonly relayed: number;
  /** A foreign edit of `expenses.json`: kept somewhere, whatever happens. */
  readonly foreign: string | undefined;
}

/** Keeps the expectation up to date while a workload runs. */
export class ExpectationKeeper {
  readonly #collections: readonly Collection[];
  /** Every state since the one that the last completed checkpoint began with. */
  #history: StoreModel[] = [];
  #first: Readonly<Record<string, string>>;
  #current: Expectation;

  /** @param legacy compact JSON of the files that were there before the store, by collection name */
  constructor(
    collections: readonly Collection[],
    legacy: Readonly<Record<string, string>>,
    filesThere: boolean,
  ) {
    this.#collections = collections;
    this.#first = legacy;
    const nothing = { states: [], phases: [], relayed: 0, foreign: undefined };
    this.#current = { ...nothing, files: this.#files(undefined), filesThere };
  }

  get current(): Expectation {
    return this.#current;
  }

  /** The only state that is acknowledged, and those that may follow it. */
  states(states: readonly StoreModel[]): void {
    for (const state of states) {
      if (!this.#history.includes(state)) this.#history.push(state);
    }
    const phases = this.#current.phases.length === 0 ? states.slice(0, 1) : [];
    this.#replace({
      states,
      files: this.#files(this.#current.foreign),
      ...(phases[0] === undefined ? {} : { phases: [phaseText(phases[0].phase)] }),
    });
  }

  phases(phases: readonly string[]): void {
    this.#replace({ phases });
  }

  relayed(seq: number): void {
    this.#replace({ relayed: Math.max(seq, this.#current.relayed) });
  }

  foreign(text: string): void {
    this.#replace({ foreign: text, files: this.#files(text) });
  }

  /** A checkpoint that began at `state` is in place. */
  checkpointed(state: StoreModel): void {
    this.#history = this.#history.slice(Math.max(0, this.#history.indexOf(state)));
    this.#first = {};
    this.#replace({ files: this.#files(this.#current.foreign), filesThere: true });
  }

  #replace(change: Partial<Expectation>): void {
    this.#current = { ...this.#current, ...change };
  }

  #files(foreign: string | undefined): Expectation['files'] {
    const entries = this.#collections.map(({ name, file }) => {
      const texts = new Set(this.#history.map((state) => state.fileText(name)));
      const first = this.#first[name];
      if (first !== undefined) texts.add(first);
      if (foreign !== undefined && file === 'expenses.json') texts.add(compact(foreign));
      return [name, texts] as const;
    });
    return Object.fromEntries(entries);
  }
}

export const compact = (json: string): string => JSON.stringify(JSON.parse(json));
