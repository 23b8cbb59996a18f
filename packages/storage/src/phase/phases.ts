//   json-only <──> json-primary <──> postgres-primary <──> postgres-only
//   (before)       (Phase 3)         (Phase 4)             (Phase 5)

/** The four phases in order; a switch moves to a neighbour. */
export const PHASES = ['json-only', 'json-primary', 'postgres-primary', 'postgres-only'] as const;
export type Phase = (typeof PHASES)[number];

export type StoreName = 'json' | 'postgres';

/** The two feature flags that choose the desired phase. */
export interface PhaseFlags {
  readonly USE_DATABASE_STORAGE: boolean;
  readonly DUAL_WRITE_ENABLED: boolean;
}

const ROLES: Readonly<
  Record<Phase, { primary: StoreName; secondary: StoreName | null; flags: PhaseFlags }>
> = {
  'json-only': {
    primary: 'json',
    secondary: null,
    flags: { USE_DATABASE_STORAGE: false, DUAL_WRITE_ENABLED: false },
  },
  'json-primary': {
    primary: 'json',
    secondary: 'postgres',
    flags: { USE_DATABASE_STORAGE: false, DUAL_WRITE_ENABLED: true },
  },
  'postgres-primary': {
    primary: 'postgres',
    secondary: 'json',
    flags: { USE_DATABASE_STORAGE: true, DUAL_WRITE_ENABLED: true },
  },
  'postgres-only': {
    primary: 'postgres',
    secondary: null,
    flags: { USE_DATABASE_STORAGE: true, DUAL_WRITE_ENABLED: false },
  },
};

export const primaryOf = (phase: Phase): StoreName => ROLES[phase].primary;
export const secondaryOf = (phase: Phase): StoreName | null => ROLES[phase].secondary;
export const flagsOf = (phase: Phase): PhaseFlags => ROLES[phase].flags;

export function phaseOf(flags: PhaseFlags): Phase {
  if (flags.USE_DATABASE_STORAGE) {
    return flags.DUAL_WRITE_ENABLED ? 'postgres-primary' : 'postgres-only';
  }
  return flags.DUAL_WRITE_ENABLED ? 'json-primary' : 'json-only';
}

/** The neighbour of `from` on the way to `to`; `undefined` when they are the same. */
export function nextPhase(from: Phase, to: Phase): Phase | undefined {
  const direction = Math.sign(PHASES.indexOf(to) - PHASES.indexOf(from));
  return direction === 0 ? undefined : PHASES[PHASES.indexOf(from) + direction];
}

/** Whether a move, also one over several phases, ends on the way to `desired` or there. */
export function leadsTowards(from: Phase, to: Phase, desired: Phase): boolean {
  const moved = PHASES.indexOf(to) - PHASES.indexOf(from);
  const wanted = PHASES.indexOf(desired) - PHASES.indexOf(from);
  return (
    moved !== 0 && Math.sign(moved) === Math.sign(wanted) && Math.abs(moved) <= Math.abs(wanted)
  );
}

export const isPhase = (value: unknown): value is Phase => PHASES.includes(value as Phase);
