import type { BackfillResult, CatchUpStatus, ConsistencyOrder } from '../consistency/index.ts';
import { TandemError } from '../errors.ts';
import type { Asked } from './migration-operations.ts';
import { type Phase, type StoreName, secondaryOf } from './phases.ts';
import { type LiveProcess, nameOf } from './process-registry.ts';

/** A backfill that an operator asked for. */
export interface BackfillOrder
  extends Pick<ConsistencyOrder, 'id' | 'actor' | 'reason' | 'askedAt' | 'finishedAt' | 'takenBy'> {
  readonly state: ConsistencyOrder['state'];
  readonly progress: ConsistencyOrder['progress'];
  /** What it did and left, once it is done. */
  readonly result: BackfillResult | null;
  /** Why it failed, in one sentence. */
  readonly problem: string | null;
}

/** A catch-up under way, asked for or begun by itself, and who runs it. */
export interface RunningCatchUp extends CatchUpStatus {
  /** E.g. `api 4711 on web-1`. */
  readonly process: string;
}

export interface BackfillReport {
  readonly effective: Phase;
  /** The store that follows; `null` while none does. */
  readonly towards: StoreName | null;
  /** ISO instant since when it must be brought up by difference, which happens by itself; or `null`. */
  readonly catchUpSince: string | null;
  readonly running: readonly RunningCatchUp[];
  /** The last ones asked for, newest first. */
  readonly asked: readonly BackfillOrder[];
}

export interface BackfillAnswer {
  /** `null` for a dry run. */
  readonly order: number | null;
  readonly effective: Phase;
  readonly towards: StoreName;
  /** Somebody had asked already: it is the same order. */
  readonly joined: boolean;
  /** Sentences about what will keep it from being done. */
  readonly warnings: readonly string[];
}

/** Port: backfills, implemented in `postgres/`. */
export interface BackfillOperations {
  /** @throws {TandemError} `unavailable`, `storage-failed`, as each of these */
  backfills(): Promise<BackfillReport>;
  /** @returns `undefined` for an unknown order */
  backfill(order: number): Promise<BackfillOrder | undefined>;
  /**
   * Asks the running system to bring the secondary up by difference, whether or not it seems to need it.
   * @throws {TandemError} `conflict` in a phase that has no secondary
   */
  askBackfill(asked: Asked): Promise<BackfillAnswer>;
}

/** The catch-ups that live processes tell of. */
export const runningIn = (live: readonly LiveProcess[]): readonly RunningCatchUp[] =>
  live.flatMap((one) => (one.catchUp === null ? [] : [{ process: nameOf(one), ...one.catchUp }]));

/** @throws {TandemError} `conflict` */
export function followerIn(effective: Phase): StoreName {
  const towards = secondaryOf(effective);
  if (towards !== null) return towards;
  const dual = effective === 'json-only' ? 'json-primary' : 'postgres-primary';
  throw new TandemError(
    'conflict',
    `In ${effective} no store follows. Ask for ${dual} ("tandem phase set ${dual}"): the other store is then brought up to date by itself.`,
    { detail: { effective } },
  );
}
