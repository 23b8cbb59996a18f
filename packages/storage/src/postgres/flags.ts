import type { Pool, PoolClient } from 'pg';
import type { PhaseFlags } from '../phase/index.ts';
import { storageError } from './failure.ts';
import { boundsStatement } from './locks.ts';
import { rows, transaction } from './transaction.ts';

type FlagName = keyof PhaseFlags;
const NAMES: readonly FlagName[] = ['USE_DATABASE_STORAGE', 'DUAL_WRITE_ENABLED'];

/**
 * The global rows of the two flags; one without a row is absent. Rows of a single user never choose
 * the phase.
 * @throws {TandemError} when the table can't be read, which is not the same as `false`
 */
export async function readPhaseFlags(pool: Pool): Promise<Partial<PhaseFlags>> {
  try {
    return await readFlagRows(pool);
  } catch (error) {
    throw storageError(error);
  }
}

/** The same on a connection, with the database's errors as they are. */
export async function readFlagRows(
  client: Pick<PoolClient, 'query'>,
): Promise<Partial<PhaseFlags>> {
  const found = await rows(
    client,
    'SELECT name, enabled FROM feature_flags WHERE user_id IS NULL AND name = ANY($1)',
    [NAMES],
  );
  return Object.fromEntries(found) as Partial<PhaseFlags>;
}

/** Writes the global rows of the given flags, both in one transaction. */
export async function writePhaseFlags(pool: Pool, flags: Partial<PhaseFlags>): Promise<void> {
  try {
    await transaction(pool, [boundsStatement()], (client) => writeFlags(client, flags));
  } catch (error) {
    throw storageError(error);
  }
}

export async function writeFlags(client: PoolClient, flags: Partial<PhaseFlags>): Promise<void> {
  for (const name of NAMES) {
    const enabled = flags[name];
    if (enabled === undefined) continue;
    await rows(
      client,
      `INSERT INTO feature_flags (name, enabled) VALUES ($1, $2)
       ON CONFLICT (name, user_id) DO UPDATE SET enabled = excluded.enabled`,
      [name, enabled],
    );
  }
}
