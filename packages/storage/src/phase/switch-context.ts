import type { Change } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import type { CatchUpWatch } from '../consistency/index.ts';
import type { Log } from '../log.ts';
import type { Outbox } from '../replication/outbox.ts';
import type { Store } from '../store.ts';
import type { JsonPhase, PostgresPhase } from './phase-state.ts';
import type { StoreName } from './phases.ts';
import type { SwitchMachine } from './switch-machine.ts';
import type { WrittenSince } from './written-since.ts';

export type JsonSide = Store & { readonly phase: JsonPhase; readonly outbox: Outbox };
export type PostgresSide = Store & {
  readonly phase: PostgresPhase;
  readonly written: WrittenSince;
};

/** Port: what a switch needs of the queues. */
export interface QueueUpkeep {
  /**
   * Everything queued towards a store is known to be in it: drops the waiting jobs and retires the
   * dead letters that the store's own versions have overtaken.
   */
  dropCovered(direction: StoreName): Promise<void>;
  /**
   * JSON is about to become primary and holds all that PostgreSQL holds: its journal is relayed from
   * its head on. Where the cursor stood says nothing: it may be that of a folder which was lost and
   * made anew, or restored, while JSON followed.
   */
  beginRelay(): Promise<void>;
  /** Jobs that wait for a store, or that somebody has in hand. */
  waiting(direction: StoreName): Promise<number>;
  /** Queues changes that the store could not hold, so that they stand as dead letters. */
  enqueueRejected(direction: StoreName, changes: readonly Change[]): Promise<void>;
}

/** Everything the driver of a switch works with. It holds the JSON lock. */
export interface SwitchContext {
  readonly json: JsonSide;
  readonly postgres: PostgresSide;
  readonly queues: QueueUpkeep;
  readonly collections: readonly Collection[];
  /** Aborts when the process stops: what has not reached its commit is undone. */
  readonly signal?: AbortSignal;
  /** Told how far a catch-up is; gives rest to the live requests of this process. */
  readonly watch?: CatchUpWatch;
  /** No request is served meanwhile: a catch-up needs no rest. */
  readonly isAlone?: boolean;
  readonly log: Log;
  /** That of the process, for as long as it holds the JSON lock; a context without one gets its own. */
  readonly machine?: SwitchMachine;
  /** Who moves the phase, e.g. `api 4711`. */
  readonly actor: string;
  readonly reason: string;
  readonly now: () => Date;
}
