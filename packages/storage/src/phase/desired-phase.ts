//   seen ──same values──────────────▶ current (its sources and reasons follow at once)
//     │
//     └──other values──▶ candidate ──seen again, 2 s later──▶ current
//                            └──yet other values──▶ a new candidate, its 2 s begin anew
import { FLAG_NAMES, type FlagTable, type ResolvedFlags, resolveFlags, valuesOf } from './flags.ts';
import type { PhaseFlags } from './phases.ts';

/** How long a combination of flags must have stood: two typed one after the other pass through a
 *  third phase that nobody wants. */
export const FLAGS_SETTLE_MS = 2_000;

/** The flags as one look found them. */
export interface FlagSighting {
  readonly resolved: ResolvedFlags;
  /** What the table alone says; `null` when it could not be read. */
  readonly table: PhaseFlags | null;
}

/** What counts, and what may count soon. */
export interface SettlingFlags {
  readonly current: ResolvedFlags;
  /** What the table alone said when `current` was last seen in it; `null` before the first time. */
  readonly table: PhaseFlags | null;
  readonly candidate: { readonly resolved: ResolvedFlags; readonly sinceMs: number } | null;
}

/**
 * Makes a sighting of what the table gave. While it can't be read, the last values that counted
 * stand: a combination that was only a candidate was perhaps half typed.
 */
export function sightFlags(
  locked: Partial<PhaseFlags>,
  table: FlagTable,
  lastKnown: PhaseFlags | null,
): FlagSighting {
  return {
    resolved: resolveFlags(locked, table, lastKnown),
    table: table.read ? valuesOf(resolveFlags({}, table, null).flags) : null,
  };
}

/**
 * Folds a sighting into what counts. The first one counts at once: something must.
 * @param atMs a clock that never goes back, e.g. `performance.now()`
 */
export function settleFlags(
  before: SettlingFlags | null,
  { resolved, table }: FlagSighting,
  atMs: number,
): SettlingFlags {
  if (before === null) return { current: resolved, table, candidate: null };
  if (sameValues(before.current, resolved)) {
    return { current: resolved, table: table ?? before.table, candidate: null };
  }
  const { candidate } = before;
  if (candidate === null || !sameValues(candidate.resolved, resolved)) {
    return { ...before, candidate: { resolved, sinceMs: atMs } };
  }
  if (atMs - candidate.sinceMs < FLAGS_SETTLE_MS) {
    return { ...before, candidate: { resolved, sinceMs: candidate.sinceMs } };
  }
  return { current: resolved, table: table ?? before.table, candidate: null };
}

/** Milliseconds until the candidate counts if it is seen again then; `undefined` without one. */
export function settlesInMs({ candidate }: SettlingFlags, atMs: number): number | undefined {
  return candidate === null ? undefined : Math.max(0, candidate.sinceMs + FLAGS_SETTLE_MS - atMs);
}

const sameValues = (a: ResolvedFlags, b: ResolvedFlags): boolean =>
  FLAG_NAMES.every((name) => a.flags[name].value === b.flags[name].value);
