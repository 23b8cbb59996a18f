//   a read was answered ──(sampled, room)──▶ the same read of the secondary ──▶ equal: counted
//                           │                      └─ told differently ──▶ candidate
//                           └─ no room, no secondary: dropped                   │ every few seconds
//   forgotten ◀── equal by now, or another epoch ◀── second look (looks.ts) ◀───┘
//                          reported to the ledger ◀── still, and nothing on its way explains it
import type { Collection } from '../collections/index.ts';
import { sentenceOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Observer, ShadowRead } from '../observer.ts';
import type { Page, PagePosition, StoredRecord } from '../store.ts';
import type { DivergenceReports, SeenDifference } from './divergence-ledger.ts';
import { type ComparedStores, Looks, stateOf } from './looks.ts';
import { Patience } from './patience.ts';
import { comparePages, compareRecords, type ToldDifferently } from './shadow-compare.ts';

/** Reads of the secondary under way at once; one more is dropped. */
const CONCURRENCY_MAX = 4;
/** Records that wait for the second look; more are not followed. */
const CANDIDATES_MAX = 500;
const LOOK_INTERVAL_MS = 5_000;
/** A look that has become slow (a long queue) takes at most this share of the time. */
const LOOK_DUTY_MAX = 0.1;
/** How long one look waits for what is moving. */
const LOOK_PATIENCE_MS = 2_000;

/** The two stores of a dual phase, as they are compared in one epoch. */
export interface ShadowedStores extends ComparedStores {
  readonly epoch: number;
}

export interface ShadowReadsOptions {
  /** Share of the reads, 0 to 1. */
  readonly rate: number;
  readonly collections: readonly Collection[];
  /** `undefined` while there is no secondary to compare with: in a phase without one, while it is
   *  brought up by difference, or away. Asked at every sampled read. */
  readonly stores: () => ShadowedStores | undefined;
  readonly reports: DivergenceReports;
  readonly observer: Observer;
  readonly log: Log;
  /** From 0 up to 1. */
  readonly random?: () => number;
  readonly lookIntervalMs?: number;
}

interface Candidate {
  readonly primaryState: string;
  /** It was counted as a mismatch when it was read. */
  readonly isCounted: boolean;
}

/**
 * Repeats a share of the real reads on the secondary, beside them: nothing here delays a request, and
 * there is never more of it than a few reads at once.
 */
export class ShadowReads {
  readonly #options: ShadowReadsOptions;
  readonly #stopping = new AbortController();
  /** By collection and id; of one epoch. */
  #candidates = new Map<string, Map<number, Candidate>>();
  #epoch = 0;
  #running = 0;
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(options: ShadowReadsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#lookLater(this.#options.lookIntervalMs ?? LOOK_INTERVAL_MS);
  }

  /** Ends the second looks; what was not decided is forgotten. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#timer);
    await this.#looking;
  }

  /** A record was read from the primary, within so many seconds. */
  got(collection: Collection, id: number, record: StoredRecord | undefined, seconds: number): void {
    this.#shadow(collection, 'get', seconds, async ({ secondary }) => {
      const theirs = await secondary.get(collection, id);
      return { differences: compareRecords(id, record, theirs) };
    });
  }

  /** A page was read from the primary, within so many seconds. */
  paged(
    collection: Collection,
    options: { readonly limit: number; readonly after?: PagePosition },
    page: Page,
    seconds: number,
  ): void {
    this.#shadow(collection, 'page', seconds, async ({ secondary }) =>
      comparePages(page, await secondary.page(collection, options)),
    );
  }

  #shadow(
    collection: Collection,
    op: ShadowRead['op'],
    seconds: number,
    compare: (stores: ShadowedStores) => Promise<ReturnType<typeof comparePages>>,
  ): void {
    const { rate, random = Math.random, stores, observer } = this.#options;
    if (random() >= rate || this.#stopping.signal.aborted) return;
    const both = this.#running < CONCURRENCY_MAX ? stores() : undefined;
    if (both === undefined) {
      observer.shadowRead({ collection: collection.name, op, end: 'dropped', seconds: {} });
      return;
    }
    this.#running += 1;
    // In a turn of its own: first the request is answered.
    setImmediate(() => {
      void this.#read({ collection, op, seconds }, both, compare).finally(() => {
        this.#running -= 1;
      });
    });
  }

  async #read(
    {
      collection,
      op,
      seconds,
    }: { collection: Collection } & Pick<ShadowRead, 'op'> & {
        seconds: number;
      },
    both: ShadowedStores,
    compare: (stores: ShadowedStores) => Promise<ReturnType<typeof comparePages>>,
  ): Promise<void> {
    const { observer, log } = this.#options;
    const { primary, secondary } = both;
    const startedMs = performance.now();
    const told = (end: ShadowRead['end'], theirs?: number): void => {
      const took = theirs === undefined ? {} : { [secondary.name]: theirs };
      const all = { [primary.name]: seconds, ...took };
      observer.shadowRead({ collection: collection.name, op, end, seconds: all });
    };
    try {
      const { differences, misplaced } = await compare(both);
      const theirs = (performance.now() - startedMs) / 1_000;
      if (misplaced !== undefined) {
        told('mismatch', theirs);
        await this.#report([misplacement(collection, misplaced)], both);
        return;
      }
      for (const difference of differences) this.#follow(collection, difference, both.epoch);
      const isConflict = differences.some((one) => one.isConflict);
      told(isConflict ? 'mismatch' : differences.length > 0 ? 'lag' : 'equal', theirs);
    } catch (error) {
      told('failed');
      log.debug(
        { collection: collection.name, op, error: sentenceOf(error) },
        'A shadow read failed',
      );
    }
  }

  #follow({ name }: Collection, { id, primary, isConflict }: ToldDifferently, epoch: number): void {
    if (epoch !== this.#epoch) this.#candidates = new Map();
    this.#epoch = epoch;
    const known = this.#candidates.get(name) ?? new Map<number, Candidate>();
    this.#candidates.set(name, known);
    if (known.size >= CANDIDATES_MAX && !known.has(id)) return;
    known.set(id, { primaryState: stateOf(primary), isCounted: isConflict });
  }

  #lookLater(waitMs: number): void {
    if (this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => {
      const startedMs = performance.now();
      this.#looking = this.#look().finally(() => {
        const tookMs = performance.now() - startedMs;
        const intervalMs = this.#options.lookIntervalMs ?? LOOK_INTERVAL_MS;
        this.#lookLater(Math.max(intervalMs, tookMs / LOOK_DUTY_MAX));
      });
    }, waitMs).unref();
  }

  async #look(): Promise<void> {
    const { collections, stores, log } = this.#options;
    const both = stores();
    if (both === undefined) return;
    const candidates = both.epoch === this.#epoch ? this.#candidates : new Map();
    this.#candidates = new Map();
    try {
      for (const collection of collections) {
        await this.#lookAt(collection, candidates.get(collection.name) ?? new Map(), both);
      }
    } catch (error) {
      log.debug({ error: sentenceOf(error) }, 'Shadow reads could not be looked at again');
    }
  }

  async #lookAt(
    collection: Collection,
    candidates: ReadonlyMap<number, Candidate>,
    both: ShadowedStores,
  ): Promise<void> {
    if (candidates.size === 0) return;
    const looks = new Looks(both, new Patience(LOOK_PATIENCE_MS, this.#stopping.signal));
    const found: SeenDifference[] = [];
    const given = [...candidates].map(([id, { primaryState }]) => ({ subject: id, primaryState }));
    await looks.records(collection, given, {
      found: (difference) => found.push(difference),
      undecided: ({ subject, primary }) => {
        if (!('id' in subject)) return;
        const { id } = subject;
        const side = primary as Parameters<typeof stateOf>[0];
        const isCounted = candidates.get(id)?.isCounted === true;
        const own = this.#candidates.get(collection.name) ?? new Map<number, Candidate>();
        this.#candidates.set(
          collection.name,
          own.set(id, { primaryState: stateOf(side), isCounted }),
        );
      },
    });
    const { observer, stores } = this.#options;
    // Once the phase has moved, jobs are dropped and writes get none: nothing on its way explains anything.
    if (stores()?.epoch !== both.epoch) return;
    for (const { subject } of found) {
      if (!('id' in subject) || candidates.get(subject.id)?.isCounted === true) continue;
      const read = { collection: collection.name, op: 'get', seconds: {} } as const;
      observer.shadowRead({ ...read, end: 'mismatch' });
    }
    await this.#report(found, both);
  }

  async #report(found: readonly SeenDifference[], { secondary }: ShadowedStores): Promise<void> {
    if (found.length === 0) return;
    const { reports, log } = this.#options;
    for (const { subject, class: name, kind } of found) {
      const fields = { ...subject, class: name, kind, secondary: secondary.name };
      log.warn(fields, 'A shadow read met records that differ');
    }
    await reports.report(found, { foundBy: 'shadow-read', into: secondary.name });
  }
}

function misplacement(
  { name: collection }: Collection,
  { id, epoch, version, text }: StoredRecord,
): SeenDifference {
  const side = { epoch, version, text };
  return {
    ...{ class: 'divergent', kind: 'different', subject: { collection, id } },
    ...{ primary: side, secondary: side, detail: 'it stands elsewhere in the list' },
  };
}
