/** How much a run measures. Durations are milliseconds. */
export interface Profile {
  readonly name: 'full' | 'quick';
  /** Records in the large store. */
  readonly records: number;
  /** Each kind of run is measured this often, in turns with those it is compared with. */
  readonly turns: number;
  readonly turnMs: number;
  /** Turns of what takes seconds by itself: openings and checkpoints. */
  readonly longTurns: number;
  /** Seconds, whole ones, that the API is fired at; 0 for a few requests. */
  readonly apiSeconds: number;
  /** Turns of POSTs in a phase, each of so many seconds. */
  readonly apiTurns: number;
  /** For so long writes go on beside verifies, and without them. */
  readonly besideMs: number;
  /** Changes that wait when the worker is started. */
  readonly backlog: number;
}

export const FULL: Profile = {
  name: 'full',
  records: 1_000_000,
  turns: 41,
  turnMs: 300,
  longTurns: 3,
  apiSeconds: 5,
  apiTurns: 5,
  besideMs: 10_000,
  backlog: 100_000,
};

/** Shows that the bench works; its numbers say nothing. */
export const QUICK: Profile = {
  name: 'quick',
  records: 2_000,
  turns: 2,
  turnMs: 60,
  longTurns: 1,
  apiSeconds: 0,
  apiTurns: 1,
  besideMs: 500,
  backlog: 500,
};
