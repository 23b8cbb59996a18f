export { type Change, type ChangeOperation, type Item, type KeyItem, traceOf } from './change.ts';
export type { Command, Outcome, Precondition, Rewrite, Write } from './command.ts';
export {
  type EditAdopter,
  type LeftDifferences,
  planDifference,
  type RecordDifference,
} from './differences.ts';
export type { EditDecision, EditedRecord, EditOrder, ExternalEdit } from './external-edit.ts';
export { judge, type StoredState, type Verdict } from './guard.ts';
export { type CurrentRecord, type Plan, type PlanContext, plan } from './plan.ts';
export { compareStamps, entityTag, type Stamp } from './stamp.ts';
