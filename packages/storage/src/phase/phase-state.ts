import type { OverBudget } from './gates.ts';
import type { Acquaintance, JsonPosition, JsonSession, PostgresPosition } from './lineage.ts';
import type { Phase, PhaseFlags } from './phases.ts';

/** What the JSON store's manifest keeps about the phase. Every change of it is durable. */
export interface JsonPhaseState {
  /** Shared by the two stores that belong together; made by the JSON store at its first open. */
  readonly pairId: string;
  readonly epoch: number;
  readonly phase: Phase;
  /** Refuses writes of its epoch. */
  readonly sealed: boolean;
  /** A commit towards PostgreSQL is under way; its outcome may be unknown. */
  readonly committing: Committing | null;
  /** ISO instant since when the secondary must be brought up by difference; `null` if it need not. */
  readonly catchUpSince: string | null;
  /** Flags as last read from the table; they stand while it can't be read. */
  readonly lastKnownFlags: PhaseFlags | null;
  /** ISO instant at which this store was last known to hold all that PostgreSQL, the primary, held. */
  readonly followedUntil?: string | null;
  /** Every opening of this store, oldest first: tells an older copy from the store itself. */
  readonly lineage?: readonly JsonSession[];
  /** How far PostgreSQL was seen. */
  readonly seenPostgres?: PostgresPosition | null;
  /** Stands from the emergency brake until PostgreSQL was met again. */
  readonly braked?: Braked | null;
  /** Stands from the archiving of this store until it follows a PostgreSQL primary again, whole. */
  readonly archived?: Archived | null;
}

/** Where the content of a store went that was emptied in `postgres-only`. */
interface Archived {
  /** ISO instant. */
  readonly at: string;
  readonly file: string;
  /** Of that file, hex. */
  readonly sha256: string;
}

/** What the emergency brake left behind: PostgreSQL as the primary, out of reach. */
interface Braked {
  /** The epoch and phase that PostgreSQL is in as far as this store knows. */
  readonly epoch: number;
  readonly phase: Phase;
  /** Outbox `seq` before the first change made under the brake. */
  readonly fromSeq: number;
  /** ISO instant of the brake. */
  readonly at: string;
  /** ISO instant since when this store may lack what PostgreSQL acknowledged; `null`: not known. */
  readonly lacksSince: string | null;
}

export interface Committing {
  readonly attempt: string;
  readonly epoch: number;
  readonly phase: Phase;
}

/** Port of the phase part of the JSON store, implemented in `json/`. */
export interface JsonPhase {
  read(): JsonPhaseState;
  /** Replaces the given members; durable when it resolves. */
  update(change: Partial<Omit<JsonPhaseState, 'pairId'>> & { pairId?: string }): Promise<void>;
}

/** What the database's one phase row keeps. */
export interface PostgresPhaseState {
  /** `null` until the database has met a JSON store. */
  readonly pairId: string | null;
  readonly epoch: number;
  readonly phase: Phase;
  readonly sealed: boolean;
  /** ISO instant since when the JSON side must be brought up by difference (postgres-primary). */
  readonly catchUpSince: string | null;
  /** The attempt whose commit made this state; answers what became of a `committing` mark. */
  readonly attempt: string | null;
}

/** Who moved the phase and why; a row of the history. */
export interface PhaseMove {
  readonly actor: string;
  readonly reason: string;
  /** Gate values, counts and the like, as JSON. */
  readonly evidence: Readonly<Record<string, unknown>>;
}

/** Looks at the flags' rows at the last moment: false when they do not ask for the move any more. */
export type PhaseGuard = (flags: Partial<PhaseFlags>) => boolean;

/** Port of the phase row, implemented in `postgres/`. */
export interface PostgresPhase {
  read(): Promise<PostgresPhaseState>;
  /** Forks and conflicts that nobody has decided yet. A switch would settle them by who is primary. */
  undecided(): Promise<number>;
  /** Collections with more open differences than they are allowed. */
  overBudget(): Promise<readonly OverBudget[]>;
  /** Why the database takes no writes, in one sentence; `null` when it does, as far as it tells. */
  writeProblem(): Promise<string | null>;
  /** Where the database itself is, and how far it has seen the JSON store of a pair. */
  acquaintance(pairId: string): Promise<Acquaintance>;
  /** Remembers how far the JSON store of a pair was seen. */
  noteJson(pairId: string, seen: JsonPosition): Promise<void>;
  /**
   * Compare-and-set under the exclusive advisory lock (which every write transaction holds shared):
   * replaces the given members if the row still has `expected` epoch, and writes the history. A change
   * of phase that an operator asked for, by flags that still stand, is written as theirs.
   * @returns false when the epoch was another, or the guard refused
   */
  advance(
    expectedEpoch: number,
    change: Partial<PostgresPhaseState>,
    move: PhaseMove,
    guard?: PhaseGuard,
  ): Promise<boolean>;
  /**
   * The same around a commit that happens elsewhere, in JSON: under the lock the flags are looked at,
   * `commit` is awaited, then the row is told. Whoever cancels meanwhile waits, and sees what came of it.
   * @returns false when nothing was committed: the epoch was another, the row not sealed any more, or the
   *   guard refused
   * @throws what `commit` throws; any other error came after it
   */
  advanceAfter(
    commit: () => Promise<void>,
    ...given: Parameters<PostgresPhase['advance']>
  ): Promise<boolean>;
}
