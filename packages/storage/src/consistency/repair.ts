//   what is meant ──> look again ──> plan each ──> ledger: both sides, a repair is on its way
//        ──> primary.write (it replicates by the normal way) ──> look again until it has arrived

import type { Collection } from '../collections/index.ts';
import { isTandemError, sentenceOf } from '../errors.ts';
import type { IdHighWater, Store } from '../store.ts';
import {
  type DivergenceLedger,
  type LedgerEntry,
  type Resolution,
  type SeenDifference,
  subjectOf,
} from './divergence-ledger.ts';
import type { ComparedStores } from './looks.ts';
import { lookAt } from './repair-look.ts';
import { planRepair, type RepairAct, WAITS_FOR_CHOICE } from './repair-plan.ts';
import {
  type RepairAsked,
  type RepairedItem,
  type RepairResult,
  RepairTally,
} from './repair-result.ts';
import { entriesMeant } from './repair-scope.ts';

/** How long a look waits for what is moving. */
const LOOK_PATIENCE_MS = 10_000;
/** How long a batch's new versions may take to arrive; then the next verify sees them. */
const ARRIVAL_PATIENCE_MS = 30_000;

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
  for await (const entries of entriesMeant(asked.scope, options.ledger)) {
    options.signal?.throwIfAborted();
    await run.batch(entries);
    await options.onProgress?.({ done: run.matched });
  }
  return run.result();
}

class Repair {
  readonly #asked: RepairAsked;
  readonly #options: RepairOptions;
  readonly #tally = new RepairTally();
  matched = 0;

  constructor(asked: RepairAsked, options: RepairOptions) {
    this.#asked = asked;
    this.#options = options;
  }

  result(): RepairResult {
    const { dryRun } = this.#asked;
    return { dryRun, matched: this.matched, ...this.#tally.result() };
  }

  async batch(entries: readonly Pick<LedgerEntry, 'subject'>[]): Promise<void> {
    const subjects = new Map(entries.map((entry) => [subjectOf(entry), entry.subject]));
    this.matched += subjects.size;
    const looked = await lookAt(this.#options, [...subjects.values()], LOOK_PATIENCE_MS);
    for (const subject of looked.moving) {
      const why = 'a change of it is on its way';
      this.#tally.add({ subject, class: 'in-flight', act: 'none', outcome: 'left', why });
    }
    await this.#closeAgreed(looked.agreed);
    const standing = looked.found;
    const { collections, epoch } = this.#options;
    const { keep, dryRun } = this.#asked;
    const known = await this.#entriesOf(standing.map((difference) => ({ difference })));
    const facts = { epoch, given: await this.#options.primary.idHighWater() };
    const planned: Planned[] = [];
    for (const difference of standing) {
      const own = known.filter((entry) => subjectOf(entry) === subjectOf(difference));
      const plan =
        heldBack(difference, own, this.#asked) ?? planRepair(difference, collections, facts, keep);
      if (plan.act === 'none') this.#note({ difference, plan }, 'left', plan.why);
      else if (dryRun) this.#note({ difference, plan }, 'planned');
      else planned.push({ difference, plan });
    }
    if (planned.length === 0) return;
    await this.#keepBothSides(planned, facts.given);
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
  async #keepBothSides(planned: readonly Planned[], given: IdHighWater): Promise<void> {
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
    const above = Object.entries(marks).filter(([name, mark]) => mark > (given[name] ?? 0));
    if (above.length > 0) await this.#options.primary.raiseIdHighWater(Object.fromEntries(above));
  }

  /** @returns why it was not written; `undefined` when it was */
  async #write({ plan }: Planned): Promise<string | undefined> {
    const { primary, secondary } = this.#options;
    if (plan.act === 'none') return plan.why;
    if (plan.act === 'give-key') {
      const [key] = await primary.keys([plan.key]);
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
    const { found, agreed } = await lookAt(this.#options, subjects, ARRIVAL_PATIENCE_MS);
    const differing = new Set(found.map(subjectOf));
    const there = new Set(agreed.map((subject) => subjectOf({ subject })));
    const arrived: Planned[] = [];
    for (const one of written) {
      const name = subjectOf(one.difference);
      if (there.has(name)) arrived.push(one);
      else if (differing.has(name))
        this.#note(one, 'failed', 'it differs still, after it was written');
      else this.#note(one, 'on-its-way');
    }
    for (const one of arrived) this.#note(one, 'repaired');
    await this.#close(arrived, 'repaired');
  }

  /** Nothing is left to mend; a disagreement that applying met waits for its decision all the same. */
  async #closeAgreed(agreed: readonly SeenDifference['subject'][]): Promise<void> {
    for (const subject of agreed) {
      this.#tally.add({ subject, class: 'none', act: 'none', outcome: 'agreed' });
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
    this.#tally.add({ subject, class: name, act, outcome, ...(why === undefined ? {} : { why }) });
  }
}

/** What the ledger has against a plan: a choice was not made, or was made over an older state. */
function heldBack(
  { primary }: SeenDifference,
  entries: readonly LedgerEntry[],
  { keep, scope }: RepairAsked,
): RepairAct | undefined {
  if (keep === null) {
    const waits = entries.some(({ foundBy }) => foundBy === 'apply');
    return waits ? { act: 'none', why: WAITS_FOR_CHOICE } : undefined;
  }
  // An entry that applying made stays as it is; a newer change that was met has one of its own.
  const chosen = entries.filter(({ id, lastRun }) => {
    if ('entryIds' in scope) return scope.entryIds.includes(id);
    return 'collection' in scope || lastRun === scope.runId;
  });
  if (keep === 'primary' || (chosen.length === 0 && 'collection' in scope)) return undefined;
  const isAsListed = chosen.some(
    ({ primary: listed }) =>
      listed?.epoch === primary?.epoch && listed?.version === primary?.version,
  );
  return isAsListed ? undefined : { act: 'none', why: CHANGED_MEANWHILE };
}

const CHANGED_MEANWHILE = 'the record has changed since: look at it again, and choose again';
