import type { Phase, StoreName } from '@tandem/storage/phase';

// The words of the migration as the console shows them.

/** In the order in which they are gone through. */
export const PHASE_ORDER = [
  'json-only',
  'json-primary',
  'postgres-primary',
  'postgres-only',
] as const satisfies readonly Phase[];

interface PhaseWords {
  /** As the transition guide numbers it. */
  readonly guide: string;
  readonly primary: StoreName;
  readonly secondary: StoreName | null;
  readonly sentence: string;
}

export const PHASE_WORDS: Readonly<Record<Phase, PhaseWords>> = {
  'json-only': {
    guide: 'Before',
    ...{ primary: 'json', secondary: null },
    sentence: 'JSON alone is written. PostgreSQL stays as it is.',
  },
  'json-primary': {
    guide: 'Phase 3',
    ...{ primary: 'json', secondary: 'postgres' },
    sentence: 'JSON acknowledges every write; PostgreSQL follows it.',
  },
  'postgres-primary': {
    guide: 'Phase 4',
    ...{ primary: 'postgres', secondary: 'json' },
    sentence: 'PostgreSQL acknowledges every write; JSON follows it.',
  },
  'postgres-only': {
    guide: 'Phase 5',
    ...{ primary: 'postgres', secondary: null },
    sentence: 'PostgreSQL alone is written. The JSON files stay as they are.',
  },
};

export const STORE_NAMES: Readonly<Record<StoreName, string>> = {
  json: 'JSON',
  postgres: 'PostgreSQL',
};

/** Why the system itself changed what a store says of the phase, by the name it keeps of that. */
const OWN_REASONS: Readonly<Record<string, string>> = {
  pair: 'The stores met for the first time.',
  join: 'A new JSON folder joined PostgreSQL.',
  'tell-json': 'JSON was told where PostgreSQL stands.',
  'tell-postgres': 'PostgreSQL was told where JSON stands.',
  'abort-commit': 'A commit that did not happen was ruled out.',
  'lift-json-seal': 'The seal of a switch that ended was lifted from JSON.',
  'lift-postgres-seal': 'The seal of a switch that ended was lifted from PostgreSQL.',
  'return-from-brake': 'PostgreSQL is back after the emergency brake.',
  'forget-brake': 'The emergency brake is over.',
};

/** Why the phase was moved, in words. */
export const reasonOfMove = (reason: string): string => OWN_REASONS[reason] ?? reason;

/** `JSON → PostgreSQL`, or the one store that is written. */
export function flowOf(phase: Phase): string {
  const { primary, secondary } = PHASE_WORDS[phase];
  if (secondary === null) return `${STORE_NAMES[primary]} alone`;
  return `${STORE_NAMES[primary]} → ${STORE_NAMES[secondary]}`;
}
