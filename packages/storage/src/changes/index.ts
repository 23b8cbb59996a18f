export type { Change, ChangeOperation, Item, KeyItem } from './change.ts';
export type { Command, Outcome, Precondition, Write } from './command.ts';
export { judge, type StoredState, type Verdict } from './guard.ts';
export { type CurrentRecord, type Plan, type PlanContext, plan } from './plan.ts';
export { compareStamps, entityTag, type Stamp } from './stamp.ts';
