//   what is meant ──> look again ──> plan each ──> ledger: both sides, a repair is on its way
//        ──> primary.write (it replicates by the normal way) ──> look again until it has arrived

import type { Collection } from '../collections/index.ts';
import { isTandemError, sentenceOf } from '../errors.ts';
import type { Store } from '../store.ts';
import {
  type DivergenceLedger,
  type LedgerEntry,
  type LedgerFilter,
  type Resolution,
  type SeenDifference,
  subjectOf,
} from './divergence-ledger.ts';
import { type ComparedStores, keyBelow, Looks } from './looks.ts';
import { planRepair, type RepairAct, type Side, WAITS_FOR_CHOICE } from './repair-plan.ts';
import { Patience } from './second-look.ts';
import { readKey } from './verify-keys.ts';

/** Differences looked at and mended together. */
const BATCH_ITEMS = 500;
/** Items that the answer lists. */
const LISTED_MAX = 100;
/** How long a look waits for what is moving. */
const LOOK_PATIENCE_MS = 10_000;
/** How long a batch's new versions may take to arrive; then the next verify sees them. */
const ARRIVAL_PATIENCE_MS = 30_000;

/** Which differences are meant: those a run saw last, one record's, or some of the ledger. */
export type RepairScope =
  | { readonly runId: number }
  | { readonly collection: string; readonly id: number }
  | { readonly entryIds: readonly number[] };

export interface RepairAsked {
  readonly scope: RepairScope;
  /** Whose content counts where that is a question; `null` leaves forks and conflicts alone. */
  readonly keep: Side | null;
  /** Says what would be done, and does nothing. */
  readonly dryRun: boolean;
  readonly actor: string;
  readonly reason: string;
}

/** What became of one difference. */
export interface RepairedItem {
  readonly subject: SeenDifference['subject'];
  readonly class: string;
  readonly act: RepairAct['act'];
  /** `agreed`: nothing differs any more; `on-its-way`: written, not seen in the secondary yet. */
  readonly outcome: 'planned' | 'repaired' | 'on-its-way' | 'left' | 'failed' | 'agreed';
  readonly why?: string;
}

export interface RepairResult {
  readonly dryRun: boolean;
  /** Differences that were meant. */
  readonly matched: number;
  readonly counts: Readonly<Record<RepairedItem['outcome'], number>>;
  /** The first of them, what was left alone or failed first. */
  readonly items: readonly RepairedItem[];
}

export interface RepairOptions extends ComparedStores {
  readonly primary: Store;
  readonly secondary: Store;
  readonly collections: readonly Collection[];
  readonly ledger: DivergenceLedger;
  /** Of the phase in force. */
  readonly epoch: number;
  /** Removes the dead letters that are sides of a disagreement which was decided. */
  readonly dropDecided: (collection: string, ids: readonly number[]) => Promise<void>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number }) => Promise<void>;
}

interface Planned {
  readonly difference: SeenDifference;
  readonly plan: RepairAct;
}

/**
 * Mends differences from the primary through the job path, beside live writes. What it overwrites stays
 * in the ledger with both sides. It may be cut off anywhere and run again.
 * @throws whatever the stores and ports throw; `signal.reason` when aborted
 */
export async function repair(asked: RepairAsked, options: RepairOptions): Promise<RepairResult> {
  const run = new Repair(asked, options);
  for await (const entries of batches(asked.scope, options.ledger)) {
    options.signal?.throwIfAborted();
    await run.batch(entries);
    await options.onProgress?.({ done: run.matched });
  }
  return run.result();
}

/** The open entries that are meant; a record that the ledger does not know is looked at all the same. */
async function* batches(
  scope: RepairScope,
  ledger: DivergenceLedger,
): AsyncGenerator<readonly Pick<LedgerEntry, 'subject'>[]> {
  const filter: LedgerFilter =
    'runId' in scope
      ? { runId: scope.runId }
      : 'entryIds' in scope
        ? { ids: scope.entryIds }
        : { collection: scope.collection, recordId: scope.id };
  let after = 0;
  let isFirst = true;
  for (;;) {
    const page = await ledger.find({ ...filter, isOpen: true }, { limit: BATCH_ITEMS, after });
    if (page.length > 0) yield page;
    else if (isFirst && 'collection' in scope) {
      yield [{ subject: { collection: scope.collection, id: scope.id } }];
    }
    const last = page.at(-1);
    if (last === undefined || page.length < BATCH_ITEMS) return;
    after = last.id;
    isFirst = false;
  }
}

class Repair {
  readonly #asked: RepairAsked;
  readonly #options: RepairOptions;
  readonly #items: RepairedItem[] = [];
  readonly #counts = {
    ...{ planned: 0, repaired: 0, 'on-its-way': 0, left: 0, failed: 0, agreed: 0 },
  };
  matched = 0;

  constructor(asked: RepairAsked, options: RepairOptions) {
    this.#asked = asked;
    this.#options = options;
  }

  result(): RepairResult {
    const told: readonly RepairedItem['outcome'][] = ['failed', 'left'];
    const first = this.#items.filter(({ outcome }) => told.includes(outcome));
    const items = [...first, ...this.#items.filter((item) => !first.includes(item))];
    const { dryRun } = this.#asked;
    return {
      ...{ dryRun, matched: this.matched, counts: this.#counts },
      items: items.slice(0, LISTED_MAX),
    };
  }

  async batch(entries: readonly Pick<LedgerEntry, 'subject'>[]): Promise<void> {
    const subjects = new Map(entries.map((entry) => [subjectOf(entry), entry.subject]));
    this.matched += subjects.size;
    const standing = await this.#look([...subjects.values()], LOOK_PATIENCE_MS, 'left');
    const { collections, epoch } = this.#options;
    const { keep, dryRun } = this.#asked;
    const known = await this.#entriesOf(standing.map((difference) => ({ difference })));
    const planned: Planned[] = [];
    for (const difference of standing) {
      const own = known.filter((entry) => subjectOf(entry) === subjectOf(difference));
      const plan =
        heldBack(difference, own, keep) ?? planRepair(difference, collections, epoch, keep);
      if (plan.act === 'none') this.#note({ difference, plan }, 'left', plan.why);
      else if (dryRun) this.#note({ difference, plan }, 'planned');
      else planned.push({ difference, plan });
    }
    if (planned.length === 0) return;
    await this.#keepBothSides(planned);
    const written: Planned[] = [];
    const results = await Promise.allSettled(planned.map((one) => this.#write(one)));
    for (const [index, result] of results.entries()) {
      const one = planned[index] as Planned;
      if (result.status === 'rejected') this.#note(one, 'failed', sentenceOf(result.reason));
      else if (result.value !== undefined) this.#note(one, 'failed', result.value);
      else written.push(one);
    }
    if (keep !== null) await this.#decide(written);
    await this.#awaitArrival(written);
  }

  /** Before anything is overwritten. */
  async #keepBothSides(planned: readonly Planned[]): Promise<void> {
    const { ledger, secondary } = this.#options;
    const differences = planned.map(({ difference }) => difference);
    await ledger.report(differences, { foundBy: 'verify', into: secondary.name });
    const ids = (await this.#entriesOf(planned)).map(({ id }) => id);
    await ledger.repairing(ids);
    const marks: Record<string, number> = {};
    for (const { subject } of differences) {
      if ('key' in subject) continue;
      marks[subject.collection] = Math.max(marks[subject.collection] ?? 0, subject.id);
    }
    // An id that only the secondary had is never given again (I9).
    const given = await this.#options.primary.idHighWater();
    const above = Object.entries(marks).filter(([name, mark]) => mark > (given[name] ?? 0));
    if (above.length > 0) await this.#options.primary.raiseIdHighWater(Object.fromEntries(above));
  }

  /** @returns why it was not written; `undefined` when it was */
  async #write({ plan }: Planned): Promise<string | undefined> {
    const { primary, secondary } = this.#options;
    if (plan.act === 'none') return plan.why;
    if (plan.act === 'give-key') {
      const key = await readKey(primary, plan.key, keyBelow(plan.key));
      if (key === undefined) return 'the key has expired';
      // A key has no version: it is given as it is, and is a no-op where it is known.
      await secondary.apply([{ kind: 'key', key }]);
      return undefined;
    }
    try {
      const { kind } = await primary.write({ command: plan.command });
      return kind === 'updated' || kind === 'deleted' ? undefined : CHANGED_MEANWHILE;
    } catch (error) {
      if (isTandemError(error, 'unavailable') || isTandemError(error, 'not-primary')) throw error;
      return sentenceOf(error);
    }
  }

  /** The operator's word ends the entries at once; what was kept out is not tried again. */
  async #decide(written: readonly Planned[]): Promise<void> {
    const { keep } = this.#asked;
    const resolution: Resolution = keep === 'secondary' ? 'kept-secondary' : 'kept-primary';
    await this.#close(written, resolution);
    const byCollection = Map.groupBy(
      written.flatMap(({ difference: { subject } }) => ('key' in subject ? [] : [subject])),
      ({ collection }) => collection,
    );
    for (const [collection, subjects] of byCollection) {
      await this.#options.dropDecided(
        collection,
        subjects.map(({ id }) => id),
      );
    }
  }

  async #awaitArrival(written: readonly Planned[]): Promise<void> {
    if (written.length === 0) return;
    const subjects = written.map(({ difference }) => difference.subject);
    const before = this.#items.length;
    const open = await this.#look(subjects, ARRIVAL_PATIENCE_MS, 'on-its-way');
    const late = new Set([
      ...open.map(subjectOf),
      ...this.#items.slice(before).map((item) => subjectOf(item)),
    ]);
    for (const difference of open) {
      const one = written.find((each) => subjectOf(each.difference) === subjectOf(difference));
      if (one !== undefined) this.#note(one, 'failed', 'it differs still, after it was written');
    }
    const arrived = written.filter(({ difference }) => !late.has(subjectOf(difference)));
    for (const one of arrived) this.#note(one, 'repaired');
    await this.#close(arrived, 'repaired');
  }

  /** @returns what differs for good; what does not is noted */
  async #look(
    subjects: readonly SeenDifference['subject'][],
    patienceMs: number,
    moving: 'left' | 'on-its-way',
  ): Promise<readonly SeenDifference[]> {
    const { collections, signal } = this.#options;
    const looks = new Looks(this.#options, new Patience(patienceMs, signal));
    const found: SeenDifference[] = [];
    const agreed: SeenDifference['subject'][] = [];
    const heard = {
      found: (difference: SeenDifference) => void found.push(difference),
      undecided: (difference: Omit<SeenDifference, 'class'>) =>
        this.#add({
          ...{ subject: difference.subject, class: 'in-flight', outcome: moving, act: 'none' },
          why: 'a change of it is on its way',
        }),
      equal: (subject: SeenDifference['subject']) => void agreed.push(subject),
    };
    for (const collection of collections) {
      const ids = subjects.flatMap((subject) =>
        'key' in subject || subject.collection !== collection.name ? [] : [subject.id],
      );
      // Not a state that was seen: the first look never decides.
      const candidates = ids.map((id) => ({ subject: id, primaryState: 'not seen yet' }));
      if (ids.length > 0) await looks.records(collection, candidates, heard);
    }
    const keys = subjects.flatMap((subject) =>
      'key' in subject
        ? [{ subject: subject.key, primaryState: 'not seen yet', after: keyBelow(subject.key) }]
        : [],
    );
    if (keys.length > 0) await looks.keys(keys, heard);
    if (moving === 'left') await this.#closeAgreed(agreed);
    return found;
  }

  /** Nothing is left to mend; a disagreement that applying met waits for its decision all the same. */
  async #closeAgreed(agreed: readonly SeenDifference['subject'][]): Promise<void> {
    for (const subject of agreed) {
      this.#add({ subject, class: 'none', act: 'none', outcome: 'agreed' });
    }
    if (this.#asked.dryRun) return;
    const entries = await this.#entriesOf(agreed.map((subject) => ({ difference: { subject } })));
    const { keep, actor, reason } = this.#asked;
    const isDecided = keep !== null;
    const ids = entries
      .filter(({ foundBy }) => isDecided || foundBy !== 'apply')
      .map(({ id }) => id);
    const resolution = isDecided ? 'accepted' : 'by-itself';
    if (ids.length > 0) await this.#options.ledger.close(ids, { resolution, by: actor, reason });
    if (!isDecided) return;
    for (const subject of agreed) {
      if (!('key' in subject)) await this.#options.dropDecided(subject.collection, [subject.id]);
    }
  }

  async #close(planned: readonly Planned[], resolution: Resolution): Promise<void> {
    const ids = (await this.#entriesOf(planned)).map(({ id }) => id);
    const { actor: by, reason } = this.#asked;
    if (ids.length > 0) await this.#options.ledger.close(ids, { resolution, by, reason });
  }

  async #entriesOf(
    planned: readonly { readonly difference: Pick<SeenDifference, 'subject'> }[],
  ): Promise<readonly LedgerEntry[]> {
    const subjects = planned.map(({ difference }) => subjectOf(difference));
    return subjects.length === 0 ? [] : this.#options.ledger.openOf(subjects);
  }

  #note(
    { difference: { subject, class: name }, plan: { act } }: Planned,
    outcome: RepairedItem['outcome'],
    why?: string,
  ): void {
    this.#add({ subject, class: name, act, outcome, ...(why === undefined ? {} : { why }) });
  }

  #add(item: RepairedItem): void {
    this.#counts[item.outcome] += 1;
    const alike = this.#items.filter(({ outcome }) => outcome === item.outcome).length;
    if (alike < LISTED_MAX) this.#items.push(item);
  }
}

/** What the ledger has against a plan: a choice was not made, or was made over an older state. */
function heldBack(
  { primary }: SeenDifference,
  entries: readonly LedgerEntry[],
  keep: Side | null,
): RepairAct | undefined {
  if (keep === null) {
    const waits = entries.some(({ foundBy }) => foundBy === 'apply');
    return waits ? { act: 'none', why: WAITS_FOR_CHOICE } : undefined;
  }
  const listed = entries.find(({ foundBy }) => foundBy !== 'apply')?.primary;
  if (keep === 'primary' || listed === undefined) return undefined;
  const isAsListed = listed.epoch === primary?.epoch && listed.version === primary?.version;
  return isAsListed ? undefined : { act: 'none', why: CHANGED_MEANWHILE };
}

const CHANGED_MEANWHILE = 'the record has changed since: look at it again, and choose again';
