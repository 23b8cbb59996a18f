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
export type {
  Committing,
  JsonPhase,
  JsonPhaseState,
  PhaseMove,
  PostgresPhase,
  PostgresPhaseState,
} from './phase-state.ts';
export {
  flagsOf,
  isPhase,
  nextPhase,
  PHASES,
  type Phase,
  type PhaseFlags,
  phaseOf,
  primaryOf,
  type StoreName,
  secondaryOf,
} from './phases.ts';
