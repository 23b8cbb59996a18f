//   merge both scans ──> candidates, 5,000 at a time ──> second-look.ts ──> counted, the first listed
//   then the same for idempotency keys, then what the ledger has open; the run is kept from its begin
import type { Collection } from '../collections/index.ts';
import type { DivergenceLedger, SeenDifference } from './divergence-ledger.ts';
import { type ComparedStores, type Heard, type KeyCandidate, Looks, stateOf } from './looks.ts';
import { mergeScans } from './merge-scans.ts';
import { type Candidate, Patience } from './second-look.ts';
import { settleLedger } from './settle-ledger.ts';
import { differs } from './verify-class.ts';
import { FoundDifferences } from './verify-differences.ts';
import { keyStateOf, keysDiffer, mergeKeys } from './verify-keys.ts';
import type { VerifyResult, VerifyRun, VerifyRuns, Watermark } from './verify-run.ts';

const SCAN_CHUNK_ITEMS = 1_000;
/** Candidates held before they are looked at again; at most the ids of one `entries` call. */
const CANDIDATES_MAX = 5_000;
const PROGRESS_ITEMS = 1_000;
const PATIENCE_MS = 30_000;
/** Differences of one run that the ledger gets; the next run brings the others. */
const LEDGER_DIFFERENCES_MAX = 10_000;

/** How far a run is. `done` and `total` count ids up to the highest ever given, `rate` ids a second
 *  that were really looked at. */
export interface VerifyProgress {
  readonly done: number;
  readonly total: number;
  readonly rate: number;
}

export interface VerifyOptions extends ComparedStores {
  readonly collections: readonly Collection[];
  readonly runs: VerifyRuns;
  /** Gets every difference that stands, and loses those that are gone. */
  readonly ledger: DivergenceLedger;
  readonly watermark: Watermark;
  /** How long the run waits, in all, for what is moving. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: VerifyProgress) => void;
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
  const comparison = new Comparison(options, id);
  await comparison.records();
  await comparison.keys();
  await comparison.ledger();
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
  readonly #runId: number;
  readonly #patience: Patience;
  readonly #looks: Looks;
  readonly #startedMs = performance.now();
  /** Found since the last report to the ledger. */
  #unreported: SeenDifference[] = [];
  #reported = 0;
  readonly #heard: Heard = {
    found: (difference) => {
      this.found.add(difference);
      this.#unreported.push(difference);
    },
    undecided: (difference, moved) => this.found.addInFlight(difference, moved),
  };
  readonly found = new FoundDifferences();
  seen = 0;
  keysSeen = 0;

  constructor(options: VerifyOptions, runId: number) {
    this.#options = options;
    this.#runId = runId;
    this.#patience = new Patience(options.patienceMs ?? PATIENCE_MS, options.signal);
    this.#looks = new Looks(options, this.#patience);
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
    await this.#looks.records(collection, candidates, this.#heard);
    await this.#report();
  }

  async keys(): Promise<void> {
    const { primary, secondary, now = () => new Date() } = this.#options;
    let candidates: KeyCandidate[] = [];
    for await (const { key, after, ...sides } of mergeKeys(primary, secondary)) {
      this.keysSeen += 1;
      if (this.keysSeen % PROGRESS_ITEMS === 0) this.#patience.check();
      if (!keysDiffer(sides, now().getTime())) continue;
      candidates.push({ subject: key, primaryState: keyStateOf(sides.primary), after });
      if (candidates.length < CANDIDATES_MAX) continue;
      await this.#looks.keys(candidates, this.#heard);
      await this.#report();
      candidates = [];
    }
    await this.#looks.keys(candidates, this.#heard);
    await this.#report();
  }

  /** What was found before, and not met in this run. */
  async ledger(): Promise<void> {
    const { ledger, collections } = this.#options;
    await settleLedger({
      ...{ ledger, collections, looks: this.#looks, runId: this.#runId },
      // They were counted where the scan met them.
      heard: { found: (one) => void this.#unreported.push(one), undecided: () => {} },
    });
    await this.#report();
  }

  async #report(): Promise<void> {
    const { ledger, secondary } = this.#options;
    const room = LEDGER_DIFFERENCES_MAX - this.#reported;
    const some = this.#unreported.slice(0, room);
    this.#unreported = [];
    this.#reported += some.length;
    if (some.length === 0) return;
    await ledger.report(some, { foundBy: 'verify', into: secondary.name, runId: this.#runId });
  }

  #progress(done: number, total: number): void {
    const seconds = Math.max(performance.now() - this.#startedMs, 1) / 1_000;
    this.#options.onProgress?.({ done, total, rate: Math.round(this.seen / seconds) });
  }
}
