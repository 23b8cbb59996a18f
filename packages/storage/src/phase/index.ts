export {
  type BackfillAnswer,
  type BackfillOperations,
  type BackfillOrder,
  type BackfillReport,
  followerIn,
  type RunningCatchUp,
  runningIn,
} from './backfill-operations.ts';
export { brakeSentence, pullBrake, WAITS_FOR_RETURN } from './brake.ts';
export { within } from './deadline.ts';
export {
  FLAGS_SETTLE_MS,
  type FlagSighting,
  type SettlingFlags,
  settleFlags,
  settlesInMs,
  sightFlags,
} from './desired-phase.ts';
export {
  type DoctorFacts,
  type DoctorPlan,
  type DoctorStep,
  isThere,
  planOf,
} from './doctor-plan.ts';
export {
  armFailpoint,
  FAILPOINT_VARIABLE,
  FAILPOINTS,
  type Failpoint,
  failpoint,
} from './failpoint.ts';
export {
  FLAG_NAMES,
  type FlagName,
  type FlagResolution,
  type FlagSource,
  type FlagTable,
  type ResolvedFlags,
  resolveFlags,
  valuesOf,
} from './flags.ts';
export {
  BACKLOG_MAX,
  closedGates,
  type Gate,
  type GateFacts,
  gatesOf,
  type OverBudget,
  VERIFY_AGE_MAX_MS,
  type Verified,
} from './gates.ts';
export {
  type Acquaintance,
  type JsonPosition,
  type JsonSession,
  jsonWasRestored,
  type PostgresPosition,
  postgresWasRestored,
  withSession,
} from './lineage.ts';
export { bringUpLive, type LiveContext } from './live-context.ts';
export { type DemoteContext, promoteJson } from './live-demote.ts';
export { type PromoteContext, promotePostgres } from './live-promote.ts';
export { meetPostgres, type RelayedJournal } from './meet.ts';
export { meetAgain } from './meet-again.ts';
export { mend, mendAlone } from './mend.ts';
export {
  type Asked,
  furthestOf,
  type HistoryEntry,
  lockedAgainst,
  type MigrationOperations,
  type PhaseAnswer,
  type PhaseIntent,
  type PhaseReport,
} from './migration-operations.ts';
export type { MigrationStanding, NeighbourStep } from './migration-standing.ts';
export { type MoveContext, type MoveWork, moveTo, type Refusal } from './move.ts';
export type {
  Committing,
  JsonPhase,
  JsonPhaseState,
  PhaseGuard,
  PhaseMove,
  PostgresPhase,
  PostgresPhaseState,
} from './phase-state.ts';
export {
  flagsOf,
  isPhase,
  leadsTowards,
  nextPhase,
  PHASES,
  type Phase,
  type PhaseFlags,
  phaseOf,
  primaryOf,
  type StoreName,
  secondaryOf,
} from './phases.ts';
export {
  disagreement,
  type LiveProcess,
  nameOf,
  type Processes,
  type ProcessFacts,
  type ProcessKind,
  type ProcessWork,
  spokesman,
  troublesOf,
} from './process-registry.ts';
export { type PhaseSeen, type ReadFence, readFence } from './read-fence.ts';
export { recognise } from './recognise.ts';
export { type PhaseFacts, type Reconciliation, reconcile } from './reconcile.ts';
export { RoutedStore, type RoutedStoreOptions } from './routed-store.ts';
export type { JsonSide, PostgresSide, QueueUpkeep, SwitchContext } from './switch-context.ts';
export { SwitchMachine } from './switch-machine.ts';
export {
  type ExpectedPause,
  type KnownGate,
  type MeasuredPause,
  type PlanFacts,
  type PlannedStep,
  planSwitch,
} from './switch-plan.ts';
export { SWITCH_STATES, type SwitchState } from './switch-table.ts';
export { type WalkContext, type WalkResult, walkTo } from './walk.ts';
export type { WrittenSince } from './written-since.ts';
