//   marks of dirty ranges: taken ──> ranges: digests, records where they differ ──> candidates
//        ──> second-look.ts ──> counted, listed, in the ledger
//   then idempotency keys (all, or the young ones), then what the ledger has open ──> marks: done
import type { Collection } from '../collections/index.ts';
import { TandemError } from '../errors.ts';
import { RANGE_IDS } from '../store.ts';
import { compareRanges, type RangeScope } from './compare-ranges.ts';
import { type DirtyMarks, type DirtySet, rangeOf } from './dirty-ranges.ts';
import type { DivergenceLedger, SeenDifference } from './divergence-ledger.ts';
import { type ComparedStores, type Heard, Looks } from './looks.ts';
import { Patience } from './patience.ts';
import { type RollbackReadiness, readinessOf } from './rollback-readiness.ts';
import type { Candidate } from './second-look.ts';
import { settleLedger } from './settle-ledger.ts';
import { FoundDifferences } from './verify-differences.ts';
import { keyStateOf, keysDiffer, keysSince, mergeKeys, youngKeysFrom } from './verify-keys.ts';
import { VerifyPace } from './verify-pace.ts';
import type {
  VerifyMode,
  VerifyPosition,
  VerifyResult,
  VerifyRun,
  VerifyRuns,
  Watermark,
} from './verify-run.ts';

/** Candidates looked at together; at most the ids of one `entries` call. */
const CANDIDATES_MAX = 5_000;
const PROGRESS_KEYS = 1_000;
const PATIENCE_MS = 30_000;
/** Differences of one run that the ledger gets; the ranges of the others stay dirty for the next. */
const LEDGER_DIFFERENCES_MAX = 10_000;
/** Between two notes of where a full run is. */
const POSITION_INTERVAL_MS = 2_000;

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
  /** What was written since it was compared last. */
  readonly marks: DirtyMarks;
  /** `full` unless given; one that was cut off is gone on with. */
  readonly mode?: VerifyMode;
  readonly watermark: Watermark;
  /** The epoch in force where the primary is. Without it somebody else sees to it that the phase stands. */
  readonly epochNow?: () => Promise<number>;
  /** False while the secondary is not written, or not complete: what differs says nothing then. */
  readonly isFollowed?: boolean;
  /** A number that moves with every write: between its parts the run rests for whoever writes. */
  readonly writes?: () => number;
  /** How long the run waits, in all, for what is moving. */
  readonly patienceMs?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: VerifyProgress) => void;
}

/**
 * Compares the content of both stores, both ways, beside live writes: no lock, no transaction longer
 * than one read. Nothing is called divergent before it was looked at again after everything that the
 * primary had done by then had passed through the queue.
 * @throws whatever the stores and ports throw; `signal.reason` when aborted; `unavailable` when the phase moved
 */
export async function verify(options: VerifyOptions): Promise<VerifyRun> {
  const { primary, watermark, runs, marks, mode = 'full', isFollowed = true } = options;
  const { now = () => new Date() } = options;
  const startedAt = now().toISOString();
  const cutOff =
    mode === 'full' && isFollowed ? await runs.cutOff(primary.name, watermark.epoch) : undefined;
  const keysUntil = await runs.keysUntil(primary.name, watermark.epoch);
  const id = await runs.begin({ startedAt, primary: primary.name, mode, watermark, isFollowed });
  // Before anything is read: what is written from here on is marked anew.
  const dirty = await marks.take(id);
  const comparison = new Comparison(options, { id, mode, dirty, cutOff });
  await comparison.records();
  await comparison.keys(mode === 'full' ? null : youngKeysFrom(keysUntil, startedAt));
  await comparison.ledger();
  await marks.done(id, comparison.undecidedRanges);
  const { seen, keysSeen, found } = comparison;
  const result: VerifyResult = {
    ...{ startedAt, finishedAt: now().toISOString(), primary: primary.name, mode, watermark },
    ...{ seen, keysSeen, counts: found.counts, outcome: found.outcome },
    ...(comparison.hasRead ? { readiness: await comparison.readiness() } : {}),
    differences: found.listed,
  };
  // Keys have no marks: what could not be decided is looked at again from where the last run began.
  await runs.finish(id, result, comparison.undecidedKeys === 0 ? startedAt : keysUntil);
  return { id, ...result };
}

/** What one run is to look at. */
interface Task {
  readonly id: number;
  readonly mode: VerifyMode;
  readonly dirty: DirtySet;
  readonly cutOff: VerifyPosition | undefined;
}

class Comparison {
  readonly #options: VerifyOptions;
  readonly #task: Task;
  readonly #patience: Patience;
  readonly #looks: Looks;
  readonly #pace: VerifyPace;
  readonly #startedMs = performance.now();
  /** Found since the last report to the ledger. */
  #unreported: SeenDifference[] = [];
  #reported = 0;
  #notedMs = performance.now();
  readonly #heard: Heard = {
    found: (difference) => {
      this.found.add(difference);
      this.#unreported.push(difference);
    },
    undecided: (difference, moved) => this.#undecided(difference, moved),
  };
  readonly undecidedRanges = new Map<string, Set<number>>();
  readonly found = new FoundDifferences();
  seen = 0;
  keysSeen = 0;
  undecidedKeys = 0;

  constructor(options: VerifyOptions, task: Task) {
    this.#options = options;
    this.#task = task;
    this.seen = task.cutOff?.seen ?? 0;
    this.#patience = new Patience(options.patienceMs ?? PATIENCE_MS, options.signal);
    this.#looks = new Looks(options, this.#patience);
    this.#pace = new VerifyPace(options.writes);
  }

  async records(): Promise<void> {
    const { primary, secondary, collections } = this.#options;
    if (this.#task.mode === 'changed' && this.#task.dirty.size === 0) return;
    const marks = [await primary.idHighWater(), await secondary.idHighWater()];
    const heights = collections.map(({ name }) =>
      Math.max(...marks.map((mark) => mark[name] ?? 0)),
    );
    const total = heights.reduce((sum, height) => sum + height, 0);
    let below = 0;
    for (const [index, collection] of collections.entries()) {
      const height = heights[index] ?? 0;
      await this.#collection(collection, (id) =>
        this.#progress(below + Math.min(id, height), total),
      );
      below += height;
    }
    this.#progress(total, total);
  }

  async #collection(collection: Collection, passed: (id: number) => void): Promise<void> {
    const scope = this.#scopeOf(collection);
    let candidates: Candidate<number>[] = [];
    for await (const part of compareRanges(this.#options, collection, scope)) {
      this.#patience.check();
      this.seen += part.seen;
      candidates.push(...part.candidates);
      passed(part.to * RANGE_IDS);
      while (candidates.length >= CANDIDATES_MAX) {
        await this.#lookAtRecords(collection, candidates.slice(0, CANDIDATES_MAX));
        candidates = candidates.slice(CANDIDATES_MAX);
      }
      // What is not decided yet lies behind the position: then it is not noted.
      if (candidates.length === 0) await this.#note(collection, part.to, scope);
      await this.#pace.rest(this.#options.signal);
    }
    await this.#lookAtRecords(collection, candidates);
  }

  #scopeOf({ name }: Collection): RangeScope {
    const { mode, dirty, cutOff } = this.#task;
    const part = dirty.get(name) ?? new Set();
    const besideWrites = () => this.#pace.isWritten;
    if (mode === 'changed') return { from: undefined, dirty: part, besideWrites };
    if (cutOff === undefined) return { from: 0, dirty: new Set(), besideWrites };
    const { collections } = this.#options;
    const at = (other: string) => collections.findIndex((one) => one.name === other);
    if (at(name) < at(cutOff.collection)) return { from: undefined, dirty: part, besideWrites };
    return { from: name === cutOff.collection ? cutOff.range : 0, dirty: part, besideWrites };
  }

  /** Where a full run is: one that is cut off goes on from there. */
  async #note({ name }: Collection, range: number, { from }: RangeScope): Promise<void> {
    const now = performance.now();
    if (this.#task.mode !== 'full' || from === undefined) return;
    // What the ledger had no room for lies behind the position, and a run that dies forgets its ranges.
    if (this.#reported >= LEDGER_DIFFERENCES_MAX) return;
    if (now - this.#notedMs < POSITION_INTERVAL_MS) return;
    this.#notedMs = now;
    const position = { collection: name, range, seen: this.seen };
    await this.#options.runs.reached(this.#task.id, position);
  }

  async #lookAtRecords(
    collection: Collection,
    candidates: readonly Candidate<number>[],
  ): Promise<void> {
    await this.#looks.records(collection, candidates, this.#heard);
    await this.#report();
  }

  /** @param since only those given since then; `null` compares all, both ways */
  async keys(since: string | null): Promise<void> {
    const { primary, secondary, now = () => new Date() } = this.#options;
    let candidates: Candidate<string>[] = [];
    const pairs = since === null ? mergeKeys(primary, secondary) : keysSince(this.#options, since);
    for await (const { key, ...sides } of pairs) {
      this.keysSeen += 1;
      if (this.keysSeen % PROGRESS_KEYS === 0) this.#patience.check();
      if (!keysDiffer(sides, now().getTime())) continue;
      candidates.push({ subject: key, primaryState: keyStateOf(sides.primary) });
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
    // A run over everything has counted them where it met them.
    const isMet = this.#task.mode === 'full' && this.#task.cutOff === undefined;
    await settleLedger({
      ...{ ledger, collections, looks: this.#looks, runId: this.#task.id },
      heard: isMet
        ? { found: (one) => void this.#unreported.push(one), undecided: () => {} }
        : { ...this.#heard, undecided: (one, moved) => this.#undecidedOnce(one, moved) },
    });
    await this.#report();
    await ledger.forgetEnded();
  }

  /** Whether anything was read at all. */
  get hasRead(): boolean {
    return this.seen > 0 || this.found.failingRecords > 0;
  }

  readiness(): Promise<RollbackReadiness> {
    const { primary, collections } = this.#options;
    return readinessOf(primary, collections, this.found.failingRecords, this.found.listed);
  }

  #undecided(difference: Parameters<Heard['undecided']>[0], moved: boolean): void {
    this.found.addInFlight(difference, moved);
    this.#leaveDirty(difference.subject);
  }

  #leaveDirty(subject: SeenDifference['subject']): void {
    if ('key' in subject) {
      this.undecidedKeys += 1;
      return;
    }
    const ranges = this.undecidedRanges.get(subject.collection) ?? new Set();
    this.undecidedRanges.set(subject.collection, ranges.add(rangeOf(subject.id)));
  }

  /** An entry of the ledger whose change is on its way was met in its range, if that was dirty. */
  #undecidedOnce(difference: Parameters<Heard['undecided']>[0], moved: boolean): void {
    const { subject } = difference;
    const wasMet =
      !('key' in subject) && this.undecidedRanges.get(subject.collection)?.has(rangeOf(subject.id));
    if (wasMet !== true) this.#undecided(difference, moved);
  }

  async #report(): Promise<void> {
    const { ledger, secondary } = this.#options;
    const room = LEDGER_DIFFERENCES_MAX - this.#reported;
    const some = this.#unreported.slice(0, room);
    for (const { subject } of this.#unreported.slice(room)) this.#leaveDirty(subject);
    this.#unreported = [];
    this.#reported += some.length;
    if (some.length === 0) return;
    await this.#assertPhaseStands();
    await ledger.report(some, { foundBy: 'verify', into: secondary.name, runId: this.#task.id });
  }

  /** Once the phase has moved, jobs are dropped and writes get none: what nothing on its way explained
   *  may have been explained until then. */
  async #assertPhaseStands(): Promise<void> {
    const { epochNow, watermark } = this.#options;
    if (epochNow === undefined || (await epochNow()) === watermark.epoch) return;
    throw new TandemError('unavailable', 'The phase moved while the stores were compared.');
  }

  #progress(done: number, total: number): void {
    const seconds = Math.max(performance.now() - this.#startedMs, 1) / 1_000;
    this.#options.onProgress?.({ done, total, rate: Math.round(this.seen / seconds) });
  }
}
