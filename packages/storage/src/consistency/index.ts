export {
  bringUpToDate,
  type CatchUpOptions,
  type CatchUpProgress,
  type CatchUpReport,
  type Difference,
  type DifferenceKind,
  describeDifferences,
} from './bring-up-to-date.ts';
export { type CatchUpStatus, CatchUpWatch } from './catch-up-watch.ts';
export {
  type ConsistencyKeeper,
  type KeeperOptions,
  keepConsistency,
  type VerifySchedule,
} from './consistency-keeper.ts';
export type {
  BackfillResult,
  ConsistencyOrder,
  ConsistencyOrders,
  OrderResult,
  OrderScope,
} from './consistency-orders.ts';
export { type DirtyMarks, noMarks, unitedMarks } from './dirty-ranges.ts';
export {
  type DivergenceBudget,
  type DivergenceLedger,
  type DivergenceReports,
  type Ending,
  type LedgerEntry,
  type LedgerFilter,
  type LedgerPage,
  needsChoice,
  noLedger,
  type Resolution,
  type SeenDifference,
  type Sighting,
  subjectOf,
} from './divergence-ledger.ts';
export type { ComparedStores } from './looks.ts';
export { describeNewer, findNewer, type NewerStates } from './newer-in.ts';
export { describeProgress, type Progress } from './progress.ts';
export { type RepairOptions, repair } from './repair.ts';
export type { Side } from './repair-plan.ts';
export type {
  RepairAsked,
  RepairedItem,
  RepairResult,
  RepairScope,
} from './repair-result.ts';
export { describeReadiness, type RollbackReadiness } from './rollback-readiness.ts';
export { type ShadowedStores, ShadowReads, type ShadowReadsOptions } from './shadow-read.ts';
export { type VerifyOptions, type VerifyProgress, verify } from './verify.ts';
export { VERIFY_CLASSES, type VerifyClass, type VerifyKind } from './verify-class.ts';
export {
  alwaysQueued,
  type MarkPosition,
  queuedByRelay,
  type VerifyDifference,
  type VerifyMode,
  type VerifyOutcome,
  type VerifyResult,
  type VerifyRun,
  type VerifyRuns,
  type Watermark,
} from './verify-run.ts';
