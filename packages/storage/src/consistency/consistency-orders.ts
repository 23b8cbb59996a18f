//   place ──> waiting ──take──> taken ──finish──> done │ failed
//                │                 └── its holder fell silent ──> taken by another
//                └── withdraw ──> withdrawn
import type { RepairAsked, RepairResult } from './repair.ts';
import type { VerifyProgress } from './verify.ts';
import type { VerifyMode, VerifyOutcome } from './verify-run.ts';

/** What is asked of the process that holds the JSON store; it alone reads and writes both stores. */
export type OrderScope =
  | { readonly kind: 'verify'; readonly mode: VerifyMode }
  | ({ readonly kind: 'repair' } & Pick<RepairAsked, 'scope' | 'keep' | 'dryRun'>);

export type OrderResult =
  | { readonly runId: number; readonly outcome: VerifyOutcome }
  | RepairResult
  | { readonly problem: string };

type OrderState = 'waiting' | 'taken' | 'done' | 'failed' | 'withdrawn';

/** An order as it stands. */
export interface ConsistencyOrder {
  readonly id: number;
  readonly what: OrderScope;
  readonly actor: string;
  readonly reason: string;
  /** ISO instants. */
  readonly askedAt: string;
  readonly finishedAt: string | null;
  readonly state: OrderState;
  readonly takenBy: string | null;
  readonly progress: VerifyProgress | { readonly done: number } | null;
  readonly result: OrderResult | null;
}

/** Port: the orders there are, implemented in `postgres/`. Every method may throw `unavailable` or
 *  `storage-failed`. */
export interface ConsistencyOrders {
  /** Keeps it, with an entry in the audit log unless it changes nothing. @returns its id */
  place(order: Pick<ConsistencyOrder, 'what' | 'actor' | 'reason'>): Promise<number>;
  read(id: number): Promise<ConsistencyOrder | undefined>;
  /** The oldest that waits, or whose holder fell silent; it is the caller's from then on. */
  take(holder: string): Promise<ConsistencyOrder | undefined>;
  /** Says that its holder works on it. */
  tell(id: number, progress: ConsistencyOrder['progress']): Promise<void>;
  finish(id: number, state: 'done' | 'failed', result: OrderResult): Promise<void>;
  /** Takes back one that nobody has taken. @returns false when somebody has */
  withdraw(id: number): Promise<boolean>;
}
