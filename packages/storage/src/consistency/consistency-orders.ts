//   place ──> waiting ──take──> taken ──finish──> done │ failed
//                │                 └── its holder fell silent ──> taken by another
//                └── withdraw ──> withdrawn
import type { Progress } from './progress.ts';
import type { RepairAsked, RepairResult } from './repair-result.ts';
import type { VerifyProgress } from './verify.ts';
import type { VerifyMode, VerifyOutcome } from './verify-run.ts';

/** What is asked of the process that holds the JSON store; it alone reads and writes both stores. */
export type OrderScope =
  | { readonly kind: 'verify'; readonly mode: VerifyMode }
  /** The secondary is brought up by difference, whether or not it seems to lack anything. */
  | { readonly kind: 'backfill' }
  | ({ readonly kind: 'repair' } & Pick<RepairAsked, 'scope' | 'keep' | 'dryRun'>);

/** What a backfill did, and left. */
export interface BackfillResult {
  /** Records and tombstones looked at. */
  readonly seen: number;
  /** Items that the secondary lacked and now has. */
  readonly applied: number;
  /** Differences that a difference alone does not remove; 0: the secondary holds all of the primary. */
  readonly remaining: number;
  /** One sentence about them; `null` without any. */
  readonly rest: string | null;
}

export type OrderResult =
  | BackfillResult
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
  readonly progress: VerifyProgress | Progress | { readonly done: number } | null;
  readonly result: OrderResult | null;
}

/** An order, and who took it. */
type HeldOrder = Pick<ConsistencyOrder, 'id' | 'takenBy'>;

/** Port: the orders there are, implemented in `postgres/`. Every method may throw `unavailable` or
 *  `storage-failed`. */
export interface ConsistencyOrders {
  /** Keeps it, with an entry in the audit log unless it changes nothing. @returns its id */
  place(order: Pick<ConsistencyOrder, 'what' | 'actor' | 'reason'>): Promise<number>;
  read(id: number): Promise<ConsistencyOrder | undefined>;
  /** Those of one kind, newest first. */
  list(kind: OrderScope['kind'], limit: number): Promise<readonly ConsistencyOrder[]>;
  /** The oldest that waits, or whose holder fell silent; it is the caller's from then on. */
  take(holder: string): Promise<ConsistencyOrder | undefined>;
  /** Says that its holder works on it; nothing, once another has taken it. */
  tell(order: HeldOrder, progress: ConsistencyOrder['progress']): Promise<void>;
  /** Ends it; nothing, once another has taken it. */
  finish(order: HeldOrder, state: 'done' | 'failed', result: OrderResult): Promise<void>;
  /** Takes back one that nobody has taken, with an entry in the audit log. @returns false when somebody
   *  has, or there is none */
  withdraw(id: number, by: Pick<ConsistencyOrder, 'actor' | 'reason'>): Promise<boolean>;
}
