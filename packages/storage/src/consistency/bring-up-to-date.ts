import { type Change, compareStamps } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import type { ApplyResult, ScanEntry, Store } from '../store.ts';
import { ApplyWindow } from './apply-window.ts';
import type { CatchUpWatch } from './catch-up-watch.ts';
import type { Pair } from './merge-scans.ts';
import { pairedChunks } from './paired-chunks.ts';

/** Idempotency keys read and applied at once. */
const KEYS_BATCH_ITEMS = 1_000;
/** Differences kept with their text; beyond it they are only counted. */
const LISTED_DIFFERENCES_MAX = 100;

export type DifferenceKind =
  /** The same stamp with other content. */
  | 'conflict'
  /** The target's state does not descend from the source's. */
  | 'fork'
  /** A live record that the source never had. */
  | 'extra'
  /** The target has a newer state than the source: a write came in between, or stores were mixed. */
  | 'ahead'
  /** The target can't hold it, e.g. a mapping error. */
  | 'rejected';

/** A difference that bringing up to date does not remove. */
export interface Difference {
  readonly collection: string;
  readonly id: number;
  readonly kind: DifferenceKind;
  readonly detail?: string;
}

export interface CatchUpReport {
  /** Records and tombstones looked at. */
  readonly seen: number;
  /** Items that the target lacked and now has. */
  readonly applied: number;
  readonly keysApplied: number;
  /** How many differences remain; 0 means that the target holds all the source holds. */
  readonly remaining: number;
  /** The first {@link LISTED_DIFFERENCES_MAX} of them. */
  readonly differences: readonly Difference[];
}

export interface CatchUpProgress {
  readonly collection: string;
  readonly seen: number;
  readonly applied: number;
  /** Records and tombstones of the source when the run began. */
  readonly total: number;
}

export interface CatchUpOptions {
  readonly source: Store;
  readonly target: Store;
  readonly collections: readonly Collection[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CatchUpProgress) => void;
  /** Gets the changes the target can't hold, so that each can stand as a dead letter (I2). */
  readonly onRejected?: (changes: readonly Change[]) => Promise<void>;
  readonly now?: () => Date;
  /** Told how far it is. */
  readonly watch?: CatchUpWatch;
  /** Requests are served meanwhile: the watch gives them rest when they suffer. */
  readonly isLive?: boolean;
}

/**
 * Brings `target` up to date with `source` by their difference: records, deletions (tombstones) and
 * idempotency keys. Everything goes through the target's version guard, so it may run beside live
 * writes and live applying, be cut off at any point, and be run again.
 *
 * It only ever adds what the source has; what the target has otherwise is reported, never removed.
 * @throws whatever the stores throw; `signal.reason` when aborted
 */
export async function bringUpToDate(options: CatchUpOptions): Promise<CatchUpReport> {
  const { source, target, collections, watch } = options;
  const counts = await Promise.all(collections.map((collection) => source.count(collection)));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const run = new CatchUpRun(options, total);
  const ended = watch?.began(target.name, total);
  try {
    for (const collection of collections) await run.collection(collection);
    await run.keys();
    return run.report();
  } finally {
    ended?.();
  }
}

class CatchUpRun {
  readonly #options: CatchUpOptions;
  readonly #differences: Difference[] = [];
  #remaining = 0;
  #seen = 0;
  #applied = 0;
  #keysApplied = 0;

  readonly #total: number;
  #at: string;

  constructor(options: CatchUpOptions, total: number) {
    this.#options = options;
    this.#total = total;
    this.#at = this.#now();
  }

  async collection(collection: Collection): Promise<void> {
    const { source, target, signal, watch, isLive = false } = this.#options;
    const window = new ApplyWindow(target, (changes, results) => this.#settle(changes, results));
    try {
      for await (const pairs of pairedChunks(source, target, collection)) {
        signal?.throwIfAborted();
        this.#at = this.#now();
        for (const pair of pairs) {
          const missing = this.#compare(collection, pair);
          if (missing === undefined) continue;
          window.add(this.#changeOf(collection, missing));
          if (window.isDue) await window.send();
        }
        this.#tell(collection);
        signal?.throwIfAborted();
        if (isLive) await watch?.rest(signal);
      }
      await window.finish();
      this.#tell(collection);
    } finally {
      await window.settled();
    }
  }

  async keys(): Promise<void> {
    const { source, target } = this.#options;
    let after = '';
    for (;;) {
      const keys = await source.scanKeys(after, KEYS_BATCH_ITEMS);
      const results = await target.apply(keys.map((key) => ({ kind: 'key', key })));
      this.#keysApplied += results.filter(({ verdict }) => verdict === 'apply').length;
      const last = keys.at(-1);
      if (last === undefined || keys.length < KEYS_BATCH_ITEMS) return;
      after = last.key;
    }
  }

  report(): CatchUpReport {
    return {
      seen: this.#seen,
      applied: this.#applied,
      keysApplied: this.#keysApplied,
      remaining: this.#remaining,
      differences: this.#differences,
    };
  }

  /** The source's entry when the target must get it. */
  #compare(collection: Collection, { source, target }: Pair): ScanEntry | undefined {
    this.#seen += 1;
    if (source === undefined) {
      // A tombstone of something the source never had takes nothing from anybody.
      if (target !== undefined && target.text !== null)
        this.#keep(collection.name, target.id, 'extra');
      return undefined;
    }
    if (target === undefined) return source;
    const order = compareStamps(source, target);
    if (order > 0) return source;
    if (order < 0) this.#keep(collection.name, source.id, 'ahead');
    else if (source.text !== target.text) this.#keep(collection.name, source.id, 'conflict');
    return undefined;
  }

  #changeOf(collection: Collection, entry: ScanEntry): Change {
    const { id, epoch, version, text } = entry;
    return {
      collection: collection.name,
      id,
      epoch,
      version,
      // The state itself does not tell its base. Its direct predecessor in its own epoch is the
      // latest that could have been: the guard then still sees a longer chain as a fork.
      base: version === 1 ? null : { epoch, version: version - 1 },
      op: text === null ? 'delete' : version === 1 ? 'create' : 'update',
      record: text,
      at: this.#at,
    };
  }

  async #settle(changes: readonly Change[], results: readonly ApplyResult[]): Promise<void> {
    const rejected: Change[] = [];
    for (const [index, change] of changes.entries()) {
      const result = results[index] as ApplyResult;
      const { collection, id } = change;
      if (result.verdict === 'apply') this.#applied += 1;
      else if (result.verdict === 'rejected') {
        rejected.push(change);
        this.#keep(collection, id, 'rejected', result.error);
      } else if (result.verdict !== 'no-op') this.#keep(collection, id, result.verdict);
    }
    if (rejected.length > 0) await this.#options.onRejected?.(rejected);
  }

  #tell({ name }: Collection): void {
    const { onProgress, watch } = this.#options;
    onProgress?.({
      ...{ collection: name, seen: this.#seen, applied: this.#applied, total: this.#total },
    });
    watch?.reached(this.#seen);
  }

  #now(): string {
    return (this.#options.now?.() ?? new Date()).toISOString();
  }

  #keep(collection: string, id: number, kind: DifferenceKind, detail?: string): void {
    this.#remaining += 1;
    if (this.#differences.length >= LISTED_DIFFERENCES_MAX) return;
    this.#differences.push({ collection, id, kind, ...(detail === undefined ? {} : { detail }) });
  }
}

/** One sentence about what a run left, for a log or a refusal. */
export function describeDifferences({ remaining, differences }: CatchUpReport): string {
  const shown = differences
    .slice(0, 3)
    .map(({ collection, id, kind, detail }) =>
      detail === undefined
        ? `${collection} ${id} (${kind})`
        : `${collection} ${id} (${kind}: ${detail})`,
    );
  const more = remaining > shown.length ? ` and ${remaining - shown.length} more` : '';
  return `${remaining} ${remaining === 1 ? 'difference remains' : 'differences remain'}: ${shown.join(', ')}${more}`;
}
