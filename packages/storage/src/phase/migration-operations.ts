import type { BackfillOperations, RunningCatchUp } from './backfill-operations.ts';
import { FLAG_NAMES, type ResolvedFlags } from './flags.ts';
import type { MigrationStanding } from './migration-standing.ts';
import { flagsOf, type Phase } from './phases.ts';
import { type LiveProcess, nameOf } from './process-registry.ts';
import type { PlannedStep } from './switch-plan.ts';

/** What an operator asked for last. */
export interface PhaseIntent {
  /** ISO instant. */
  readonly at: string;
  readonly actor: string;
  readonly act: 'set' | 'cancel';
  readonly desired: Phase;
  readonly reason: string;
}

/** A move of the phase, or what an operator asked for. */
export interface HistoryEntry {
  /** ISO instant. */
  readonly at: string;
  readonly kind: 'moved' | PhaseIntent['act'];
  readonly actor: string;
  /** `null` for what was asked for. */
  readonly from: Phase | null;
  readonly to: Phase;
  readonly epoch: number | null;
  readonly reason: string;
  readonly evidence: Readonly<Record<string, unknown>> | null;
}

export interface PhaseReport {
  readonly desired: Phase;
  readonly effective: Phase;
  readonly epoch: number;
  readonly flags: ResolvedFlags['flags'];
  /** Whose resolution this is: that of the processes that run, or of the one that was asked. */
  readonly source: 'processes' | 'asked';
  /** One sentence, while the desired phase is not the effective one. */
  readonly waitingFor: string | null;
  /** One sentence, when processes' environments differ. */
  readonly disagreement: string | null;
  readonly intent: PhaseIntent | null;
  /** Catch-ups under way. */
  readonly catchUps: readonly RunningCatchUp[];
}

/** Who asks, and why. */
export interface Asked {
  readonly actor: string;
  readonly reason: string;
  /** Says what would happen, and writes nothing. */
  readonly dryRun?: boolean;
}

export interface PhaseAnswer {
  readonly effective: Phase;
  readonly desired: Phase;
  readonly dryRun: boolean;
  readonly steps: readonly PlannedStep[];
  /** Sentences about what will keep the steps from being taken. */
  readonly warnings: readonly string[];
}

/** Port: what operators ask and order, implemented in `postgres/`. */
export interface MigrationOperations extends BackfillOperations {
  /** @throws {TandemError} `unavailable`, `storage-failed`, as each of these */
  phase(): Promise<PhaseReport>;
  /** Newest first. */
  history(limit: number): Promise<readonly HistoryEntry[]>;
  /**
   * Writes both flags in one transaction, with who and why.
   * @throws {TandemError} `conflict` when the environment of a live process locks a flag otherwise
   */
  setPhase(desired: Phase, asked: Asked): Promise<PhaseAnswer>;
  /** Sets the flags back to the effective phase. @throws as `setPhase` */
  cancelPhase(asked: Asked): Promise<PhaseAnswer>;
  processes(): Promise<readonly LiveProcess[]>;
  /** All of it at once, with the steps to both neighbours. @param historyLimit entries of the history */
  standing(historyLimit: number): Promise<MigrationStanding>;
}

/**
 * Why the table can't bring about a phase: a flag that a live process's environment locks to the
 * other value, in one sentence; `null` when none is.
 */
export function lockedAgainst(desired: Phase, processes: readonly LiveProcess[]): string | null {
  const wanted = flagsOf(desired);
  const locks = FLAG_NAMES.flatMap((name) => {
    const holders = processes.filter(({ flags }) => {
      const { source, value } = flags[name];
      return source === 'environment' && value !== wanted[name];
    });
    if (holders.length === 0) return [];
    return [`FF_${name}=${!wanted[name]} is set for ${holders.map(nameOf).join(', ')}`];
  });
  if (locks.length === 0) return null;
  return `${desired} can't be set: ${locks.join('; ')}. Start the process without it, or with another value.`;
}

/** The state with the highest epoch: every phase change commits in the new primary first. */
export function furthestOf(
  states: readonly { readonly phase: Phase | null; readonly epoch: number | null }[],
): { readonly phase: Phase; readonly epoch: number } {
  let furthest: { phase: Phase; epoch: number } = { phase: 'json-only', epoch: -1 };
  for (const { phase, epoch } of states) {
    if (phase !== null && epoch !== null && epoch > furthest.epoch) furthest = { phase, epoch };
  }
  return furthest;
}
