import type { BackfillReport } from './backfill-operations.ts';
import type { HistoryEntry, PhaseReport } from './migration-operations.ts';
import type { LiveProcess } from './process-registry.ts';
import type { PlannedStep } from './switch-plan.ts';

/** The move to a neighbouring phase as it would begin now. */
export interface NeighbourStep extends PlannedStep {
  /** Why the flags can't ask for it: an environment locks one otherwise; or `null`. */
  readonly lockedBy: string | null;
}

/** Everything PostgreSQL knows of the phase, of one look. */
export interface MigrationStanding {
  readonly phase: PhaseReport;
  /** Towards `postgres-only`; `null` there. */
  readonly ahead: NeighbourStep | null;
  /** Towards `json-only`; `null` there. */
  readonly back: NeighbourStep | null;
  readonly processes: readonly LiveProcess[];
  readonly backfill: BackfillReport;
  /** Newest first. */
  readonly history: readonly HistoryEntry[];
}
