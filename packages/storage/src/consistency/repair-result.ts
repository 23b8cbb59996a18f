import type { SeenDifference } from './divergence-ledger.ts';
import type { RepairAct, Side } from './repair-plan.ts';

/** Items of one outcome that the answer lists. */
const LISTED_MAX = 100;

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

/** Counts what became of each difference, and keeps the first. */
export class RepairTally {
  readonly #items: RepairedItem[] = [];
  readonly #counts = {
    ...{ planned: 0, repaired: 0, 'on-its-way': 0, left: 0, failed: 0, agreed: 0 },
  };

  add(item: RepairedItem): void {
    this.#counts[item.outcome] += 1;
    if (this.#counts[item.outcome] <= LISTED_MAX) this.#items.push(item);
  }

  result(): Pick<RepairResult, 'counts' | 'items'> {
    const isTold = ({ outcome }: RepairedItem) => outcome === 'failed' || outcome === 'left';
    const items = [...this.#items.filter(isTold), ...this.#items.filter((item) => !isTold(item))];
    return { counts: { ...this.#counts }, items: items.slice(0, LISTED_MAX) };
  }
}
