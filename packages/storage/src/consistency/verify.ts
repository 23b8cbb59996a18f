//   merge both scans ──> candidates, 5,000 at a time ──> second-look.ts ──> counted, the first listed
//   then the same for idempotency keys; the run is kept from its begin on
import type { Stamp } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import type { ScanEntry, StoreReads } from '../store.ts';
import { mergeScans } from './merge-scans.ts';
import { type Candidate, lookAgain, Patience, type SecondLook } from './second-look.ts';
import { classify, differs, kindOf, type TwoSides } from './verify-class.ts';
import { FoundDifferences } from './verify-differences.ts';
import {
  classifyKey,
  type KeySides,
  keyStateOf,
  keysDiffer,
  mergeKeys,
  readKey,
} from './verify-keys.ts';
import type {
  Explanations,
  MarkPosition,
  VerifyDifference,
  VerifyResult,
  VerifyRun,
  VerifyRuns,
  Watermark,
} from './verify-run.ts';

type Unclassed = Omit<VerifyDifference, 'class'>;

const SCAN_CHUNK_ITEMS = 1_000;
/** Candidates held before they are looked at again; at most the ids of one `entries` call. */
const CANDIDATES_MAX = 5_000;
const PROGRESS_ITEMS = 1_000;
const PATIENCE_MS = 30_000;

/** How far a run is. `done` and `total` count ids up to the highest ever given, `rate` ids a second
 *  that were really looked at. */
export interface VerifyProgress {
  readonly done: number;
  readonly total: number;
  readonly rate: number;
}

export interface VerifyOptions {
  readonly primary: StoreReads;
  readonly secondary: StoreReads;
  readonly collections: readonly Collection[];
  readonly explanations: Explanations;
  readonly mark: MarkPosition;
  readonly runs: VerifyRuns;
  readonly watermark: Watermark;
  /** How long the run waits, in all, for what is moving. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: VerifyProgress) => void;
  readonly now?: () => Date;
}

/**
 * Compares the whole content of both stores, both ways, beside live writes: no lock, no transaction
 * longer than one read. Nothing is called divergent before it was looked at again after everything
 * that the primary had done by then had passed through the queue.
 * @throws whatever the stores and ports throw; `signal.reason` when aborted
 */
export async function verify(options: VerifyOptions): Promise<VerifyRun> {
  const { primary, watermark, runs, now = () => new Date() } = options;
  const startedAt = now().toISOString();
  const id = await runs.begin({ startedAt, primary: primary.name, watermark });
  const comparison = new Comparison(options);
  await comparison.records();
  await comparison.keys();
  const { seen, keysSeen, found } = comparison;
  const result: VerifyResult = {
    ...{ startedAt, finishedAt: now().toISOString(), primary: primary.name, watermark },
    ...{ seen, keysSeen, counts: found.counts, outcome: found.outcome },
    differences: found.listed,
  };
  await runs.finish(id, result);
  return { id, ...result };
}

class Comparison {
  readonly #options: VerifyOptions;
  readonly #patience: Patience;
  readonly #startedMs = performance.now();
  readonly found = new FoundDifferences();
  seen = 0;
  keysSeen = 0;

  constructor(options: VerifyOptions) {
    this.#options = options;
    this.#patience = new Patience(options.patienceMs ?? PATIENCE_MS, options.signal);
  }

  async records(): Promise<void> {
    const { primary, secondary, collections } = this.#options;
    const marks = [await primary.idHighWater(), await secondary.idHighWater()];
    const heights = collections.map(({ name }) =>
      Math.max(...marks.map((mark) => mark[name] ?? 0)),
    );
    const total = heights.reduce((sum, height) => sum + height, 0);
    let below = 0;
    for (const [index, collection] of collections.entries()) {
      await this.#collection(collection, (id) => this.#progress(below + id, total));
      below += heights[index] ?? 0;
    }
    this.#progress(total, total);
  }

  async #collection(collection: Collection, passed: (id: number) => void): Promise<void> {
    const { primary, secondary } = this.#options;
    let candidates: Candidate<number>[] = [];
    for await (const pair of mergeScans(primary, secondary, collection, SCAN_CHUNK_ITEMS)) {
      const sides = { primary: pair.source, secondary: pair.target };
      const id = (pair.source ?? pair.target)?.id as number;
      if (differs(sides)) candidates.push({ subject: id, primaryState: stateOf(sides.primary) });
      this.seen += 1;
      if (this.seen % PROGRESS_ITEMS === 0) {
        this.#patience.check();
        passed(id);
      }
      if (candidates.length < CANDIDATES_MAX) continue;
      await this.#lookAtRecords(collection, candidates);
      candidates = [];
    }
    await this.#lookAtRecords(collection, candidates);
  }

  async #lookAtRecords(collection: Collection, candidates: Candidate<number>[]): Promise<void> {
    const { primary, secondary, explanations, mark } = this.#options;
    const second: SecondLook<number, TwoSides> = {
      explain: (ids) => explanations.ofRecords(collection.name, ids),
      look: async (ids) => {
        const right = byId(await secondary.entries(collection, ids));
        const left = byId(await primary.entries(collection, ids));
        return ids.map((id) => {
          const sides = { primary: left.get(id), secondary: right.get(id) };
          const primaryState = stateOf(sides.primary);
          return { subject: id, sides, differs: differs(sides), primaryState };
        });
      },
      found: ({ subject: id, sides }, { deadLetters }) => {
        const named = classify(collection, sides, secondary.name, deadLetters.get(id) ?? []);
        this.found.add({ ...recordDifference(collection, id, sides), ...named });
      },
      undecided: ({ subject: id, sides }, moved) =>
        this.found.addInFlight(recordDifference(collection, id, sides), moved),
    };
    await lookAgain(candidates, mark, this.#patience, second);
  }

  async keys(): Promise<void> {
    const { primary, secondary } = this.#options;
    let candidates: Candidate<string>[] = [];
    let afters = new Map<string, string>();
    for await (const { key, after, ...sides } of mergeKeys(primary, secondary)) {
      this.keysSeen += 1;
      if (this.keysSeen % PROGRESS_ITEMS === 0) this.#patience.check();
      if (!keysDiffer(sides, this.#nowMs())) continue;
      candidates.push({ subject: key, primaryState: keyStateOf(sides.primary) });
      afters.set(key, after);
      if (candidates.length < CANDIDATES_MAX) continue;
      await this.#lookAtKeys(candidates, afters);
      candidates = [];
      afters = new Map();
    }
    await this.#lookAtKeys(candidates, afters);
  }

  async #lookAtKeys(
    candidates: Candidate<string>[],
    afters: ReadonlyMap<string, string>,
  ): Promise<void> {
    const { primary, secondary, explanations, mark } = this.#options;
    const second: SecondLook<string, KeySides> = {
      explain: (keys) => explanations.ofKeys(keys),
      look: async (keys) => {
        const looks = [];
        for (const key of keys) {
          const after = afters.get(key) ?? '';
          const right = await readKey(secondary, key, after);
          const left = await readKey(primary, key, after);
          const sides = { primary: left, secondary: right };
          const isDifferent = keysDiffer(sides, this.#nowMs());
          looks.push({ subject: key, sides, differs: isDifferent, primaryState: keyStateOf(left) });
        }
        return looks;
      },
      found: ({ subject: key, sides }, { deadLetters }) => {
        const named = classifyKey(sides, deadLetters.get(key) ?? []);
        this.found.add({ ...keyDifference(key, sides), ...named });
      },
      undecided: ({ subject: key, sides }, moved) =>
        this.found.addInFlight(keyDifference(key, sides), moved),
    };
    await lookAgain(candidates, mark, this.#patience, second);
  }

  #nowMs(): number {
    return (this.#options.now?.() ?? new Date()).getTime();
  }

  #progress(done: number, total: number): void {
    const seconds = Math.max(performance.now() - this.#startedMs, 1) / 1_000;
    this.#options.onProgress?.({ done, total, rate: Math.round(this.seen / seconds) });
  }
}

const byId = (entries: readonly ScanEntry[]): ReadonlyMap<number, ScanEntry> =>
  new Map(entries.map((entry) => [entry.id, entry]));

/** Tells two states of the primary apart; an edit by hand may have kept the stamp. */
const stateOf = (entry: (Stamp & { text: string | null }) | undefined): string =>
  entry === undefined ? '' : `${entry.epoch}-${entry.version}-${entry.text ?? ''}`;

function recordDifference({ name }: Collection, id: number, sides: TwoSides): Unclassed {
  const { primary, secondary } = sides;
  const side = ({ epoch, version, text }: ScanEntry) => ({ epoch, version, text });
  return {
    ...{ kind: kindOf(sides), subject: { collection: name, id } },
    ...(primary === undefined ? {} : { primary: side(primary) }),
    ...(secondary === undefined ? {} : { secondary: side(secondary) }),
  };
}

function keyDifference(key: string, { primary, secondary }: KeySides): Unclassed {
  const isBoth = primary !== undefined && secondary !== undefined;
  return {
    kind: isBoth ? 'different' : primary === undefined ? 'extra' : 'missing',
    subject: { key },
    ...(primary === undefined ? {} : { primary: { text: primary.outcome } }),
    ...(secondary === undefined ? {} : { secondary: { text: secondary.outcome } }),
  };
}
