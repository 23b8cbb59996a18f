import type { CatchUpStatus, RollbackReadiness, VerifyResult } from '@tandem/storage/consistency';
import type {
  LiveProcess,
  MigrationStanding,
  Phase,
  ProcessWork,
  ResolvedFlags,
  SwitchState,
} from '@tandem/storage/phase';
import type { QueueBacklog } from '@tandem/storage/replication';

// What the console reads: one answer that says how the migration stands. Ages stand in it as instants,
// so that nothing in it changes while nothing happens.

/** What the api that answers knows by itself, PostgreSQL or not. */
export interface ApiView {
  readonly process: string;
  readonly startedAt: string;
  readonly status: 'ok' | 'degraded' | 'unready';
  readonly effective: Phase;
  readonly desired: Phase;
  readonly epoch: number;
  readonly flags: ResolvedFlags['flags'];
  readonly waitingFor: string | null;
  /** While the emergency brake stands: what JSON may lack. */
  readonly brake: string | null;
  /** By name, e.g. `json`, `postgres`, `relay`. */
  readonly dependencies: Readonly<
    Record<string, { readonly status: string; readonly detail?: string }>
  >;
  /** What the switch is doing, while this process is its driver. */
  readonly switchState: SwitchState | null;
  /** Requests that wait for the end of a switch. */
  readonly requestsWaiting: number;
  readonly catchUp: CatchUpStatus | null;
}

/** The migration as PostgreSQL knows it. What moves always is left out of the processes: the last sign of
 *  life, and what each has done. */
export interface SnapshotStanding extends Omit<MigrationStanding, 'processes'> {
  readonly processes: readonly Omit<LiveProcess, 'seenAt' | 'work'>[];
}

/** The processes that live, together. */
export interface SnapshotWork {
  /** How the shadow reads ended since each process began. */
  readonly shadowReads: ProcessWork['shadowReads'];
}

/** How far both stores are known to agree. */
export interface SnapshotTrust {
  readonly verify:
    | (Pick<VerifyResult, 'startedAt' | 'finishedAt' | 'primary' | 'mode' | 'outcome'> & {
        readonly id: number;
      })
    | null;
  readonly readiness: RollbackReadiness | null;
  /** Open entries of the ledger by class. */
  readonly divergences: Readonly<Record<string, number>>;
}

/** Samples of the last half hour, a column each; equal samples in a row are one. `null`: not known. */
export interface SnapshotSamples {
  /** ms since 1970. */
  readonly at: readonly number[];
  /** Changes the secondary has not applied: journal and queue. */
  readonly backlog: readonly (number | null)[];
  /** Age of the oldest of them in seconds. */
  readonly lag: readonly (number | null)[];
  /** A second. */
  readonly written: readonly (number | null)[];
  readonly applied: readonly (number | null)[];
  /** Failed attempts to apply, a second. */
  readonly failed: readonly (number | null)[];
  readonly deadLetters: readonly (number | null)[];
}

export interface Snapshot {
  /** By the clock of the api that answers. */
  readonly at: string;
  /** Names of the collections there are. */
  readonly collections: readonly string[];
  readonly api: ApiView;
  /** Why PostgreSQL can't be asked, and when it could last; what it knows is as of then. */
  readonly database: { readonly problem: string | null; readonly asOf: string | null };
  readonly migration: SnapshotStanding | null;
  readonly trust: SnapshotTrust | null;
  readonly work: SnapshotWork | null;
  /** Items in the journal that the queue does not have; `null` where no relay runs. */
  readonly journalPending: number | null;
  /** By queue name. */
  readonly queues: Readonly<Record<string, QueueBacklog>> | null;
  readonly samples: SnapshotSamples;
}
