import { type Phase, type PhaseFlags, phaseOf } from './phases.ts';

export type FlagName = keyof PhaseFlags;
export const FLAG_NAMES: readonly FlagName[] = ['USE_DATABASE_STORAGE', 'DUAL_WRITE_ENABLED'];

/** Where a flag's value came from, in the order of precedence. */
export type FlagSource = 'environment' | 'table' | 'last-known' | 'default';

export interface FlagResolution {
  readonly value: boolean;
  readonly source: FlagSource;
  /** One sentence for an operator. */
  readonly reason: string;
}

/** What reading `feature_flags` gave: its global rows, or why it could not be read. */
export type FlagTable =
  | { readonly read: true; readonly rows: Partial<PhaseFlags> }
  | { readonly read: false; readonly why: string };

export interface ResolvedFlags {
  readonly flags: Readonly<Record<FlagName, FlagResolution>>;
  readonly desired: Phase;
}

function resolveFlag(
  name: FlagName,
  locked: Partial<PhaseFlags>,
  table: FlagTable,
  lastKnown: PhaseFlags | null,
): FlagResolution {
  const environment = locked[name];
  if (environment !== undefined) {
    return { value: environment, source: 'environment', reason: `FF_${name} is set.` };
  }
  if (table.read) {
    const row = table.rows[name];
    return row === undefined
      ? { value: false, source: 'default', reason: `feature_flags has no row ${name}.` }
      : { value: row, source: 'table', reason: `feature_flags has ${name} = ${row}.` };
  }
  // A table that can't be read is not `false`.
  return lastKnown === null
    ? { value: false, source: 'default', reason: `${table.why} No value was seen before.` }
    : {
        value: lastKnown[name],
        source: 'last-known',
        reason: `${table.why} The last value stands.`,
      };
}

/**
 * Resolves the two phase flags (DESIGN.md section 2): environment, table, last value seen while the
 * table can't be read, `false` when it was read and has no row.
 */
export function resolveFlags(
  locked: Partial<PhaseFlags>,
  table: FlagTable,
  lastKnown: PhaseFlags | null,
): ResolvedFlags {
  const resolve = (name: FlagName) => resolveFlag(name, locked, table, lastKnown);
  const flags = {
    USE_DATABASE_STORAGE: resolve('USE_DATABASE_STORAGE'),
    DUAL_WRITE_ENABLED: resolve('DUAL_WRITE_ENABLED'),
  };
  return { flags, desired: phaseOf(valuesOf(flags)) };
}

/** The bare values of resolved flags. */
export const valuesOf = (flags: ResolvedFlags['flags']): PhaseFlags => ({
  USE_DATABASE_STORAGE: flags.USE_DATABASE_STORAGE.value,
  DUAL_WRITE_ENABLED: flags.DUAL_WRITE_ENABLED.value,
});
