import type { Configuration } from '@tandem/storage/configuration';
import { inspectJsonStore } from '@tandem/storage/json';
import {
  type FlagTable,
  type PhaseFlags,
  type ResolvedFlags,
  resolveFlags,
  valuesOf,
} from '@tandem/storage/phase';
import { readPhaseFlags } from '@tandem/storage/postgres';
import type { Pool } from 'pg';
import type { DatabaseState } from './database-probe.ts';

/** The flags as they are now, and what the table alone says, for the time when it can't be read. */
export interface DesiredPhase extends ResolvedFlags {
  readonly tableFlags: PhaseFlags | null;
}

/** Resolves the phase flags now: environment, table if it can be read, else the last value seen. */
export async function resolveDesiredPhase(
  configuration: Configuration,
  pool: Pool,
  database: DatabaseState,
): Promise<DesiredPhase> {
  const table: FlagTable = database.usable
    ? { read: true, rows: await readPhaseFlags(pool) }
    : { read: false, why: `feature_flags can't be read: ${database.why}` };
  const { phase } = await inspectJsonStore(configuration.jsonDir);
  const resolved = resolveFlags(configuration.lockedFlags, table, phase?.lastKnownFlags ?? null);
  const tableFlags = table.read ? valuesOf(resolveFlags({}, table, null).flags) : null;
  return { ...resolved, tableFlags };
}
