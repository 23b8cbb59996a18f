export {
  bringUpToDate,
  type CatchUpOptions,
  type CatchUpProgress,
  type CatchUpReport,
  type Difference,
  type DifferenceKind,
  describeDifferences,
} from './bring-up-to-date.ts';
