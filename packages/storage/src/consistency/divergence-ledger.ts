//   report ──> open ──┬── repair on its way ──> verify no longer finds it ──> closed: repaired
//     ^         │     ├── verify no longer finds it ──> closed: by-itself, superseded
//     └─ again ─┘     └── an operator decides ──> closed: kept-primary, kept-secondary, accepted
import type { StoreReads } from '../store.ts';
import type { VerifyClass } from './verify-class.ts';
import type { VerifyDifference } from './verify-run.ts';

/** A difference that somebody saw. */
export interface SeenDifference extends Omit<VerifyDifference, 'class'> {
  /** Whoever can't tell says `divergent`; the next verify names it. */
  readonly class: Exclude<VerifyClass, 'in-flight'>;
}

/** Who saw them, and where. */
export interface Sighting {
  readonly foundBy: 'verify' | 'shadow-read';
  /** The store that was compared with the primary. */
  readonly into: StoreReads['name'];
  /** Of a verify. */
  readonly runId?: number;
}

/**
 * Port for whoever finds differences: keeps each with both sides until it ends. Report only what stood
 * when it was looked at again after the lag had passed. One that is open already is noted as seen again,
 * never listed twice; the sides are then the latest ones. Implemented in `postgres/`:
 * `divergenceLedger(pool)`.
 */
export interface DivergenceReports {
  /** @throws {TandemError} `unavailable`, `storage-failed` */
  report(differences: readonly SeenDifference[], sighting: Sighting): Promise<void>;
}

/** How an entry ended: `repaired`; `by-itself`; `superseded` by a newer change of the record; by an
 *  operator's choice. */
const RESOLUTIONS = [
  'repaired',
  'by-itself',
  'superseded',
  'kept-primary',
  'kept-secondary',
  'accepted',
] as const;
export type Resolution = (typeof RESOLUTIONS)[number];

/** A difference as the ledger has it. */
export interface LedgerEntry extends SeenDifference {
  readonly id: number;
  readonly foundBy: Sighting['foundBy'] | 'apply';
  readonly into: StoreReads['name'];
  /** ISO instants. */
  readonly firstSeen: string;
  readonly lastSeen: string;
  /** The verify run that saw it last. */
  readonly lastRun: number | null;
  /** Since when a repair of it is on its way. */
  readonly repairedAt: string | null;
  readonly resolvedAt: string | null;
  /** A {@link Resolution}, or what somebody typed into psql. */
  readonly resolution: string | null;
  readonly resolvedBy: string | null;
  readonly reason: string | null;
}

/** Which entries are meant; what is left out does not narrow. */
export interface LedgerFilter {
  readonly ids?: readonly number[];
  readonly isOpen?: boolean;
  readonly collection?: string;
  readonly recordId?: number;
  readonly class?: string;
  readonly foundBy?: LedgerEntry['foundBy'];
  readonly runId?: number;
  /** Not seen by this run. */
  readonly notOfRun?: number;
}

export interface LedgerPage {
  readonly limit: number;
  /** `id` of the last entry seen. */
  readonly after?: number;
}

/** What ended entries, for their rows. */
export interface Ending {
  readonly resolution: Resolution;
  readonly by: string;
  readonly reason: string;
}

/** Open entries of a collection, and how many keep no gate closed. */
export interface DivergenceBudget {
  readonly collection: string;
  readonly open: number;
  readonly allowed: number;
}

/** Port: the whole ledger, implemented in `postgres/`. Every method may throw `unavailable` or
 *  `storage-failed`. */
export interface DivergenceLedger extends DivergenceReports {
  /** By ascending id. */
  find(filter: LedgerFilter, page: LedgerPage): Promise<readonly LedgerEntry[]>;
  /** Open entries about subjects (`subjectOf`); one may have several. */
  openOf(subjects: readonly string[]): Promise<readonly LedgerEntry[]>;
  /** Notes that a repair of open entries is on its way. */
  repairing(ids: readonly number[]): Promise<void>;
  /** Ends open entries. @returns how many there were */
  close(ids: readonly number[], ending: Ending): Promise<number>;
  /** Removes what ended so long ago that nobody asks for it. */
  forgetEnded(): Promise<void>;
  /** Every collection that has open entries or a budget. Forks and conflicts that applying met are left
   *  out: they have a gate of their own, and so have dead letters and mapping errors. */
  budgets(): Promise<readonly DivergenceBudget[]>;
}

/** For stores of which one is not written: what differs is no divergence. */
export const noLedger: DivergenceLedger = {
  report: async () => {},
  find: async () => [],
  openOf: async () => [],
  repairing: async () => {},
  close: async () => 0,
  forgetEnded: async () => {},
  budgets: async () => [],
};

/** Whether it waits for a person: which of two sides counts can't be told from them (I4). */
export const needsChoice = ({ class: name }: Pick<SeenDifference, 'class'>): boolean =>
  name === 'fork' || name === 'conflict';

/** `expense 5`, or `key …`: what an entry is about. */
export const subjectOf = ({ subject }: Pick<VerifyDifference, 'subject'>): string =>
  'key' in subject ? `key ${subject.key}` : `${subject.collection} ${subject.id}`;
