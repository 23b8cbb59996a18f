import type { Pool, PoolClient } from 'pg';
import type { PostgresPhaseState } from '../phase/index.ts';
import { boundsStatement, SWITCH_LOCK, shared } from './locks.ts';
import { phaseOfRow, READ_PHASE } from './phase-row.ts';
import { transaction } from './transaction.ts';

/**
 * Acts in a transaction during which the phase can't move on PostgreSQL's side: `act` is given the row as
 * it stands until the commit. Whoever moves the phase waits for it meanwhile. The database's errors come as
 * they are.
 */
export function whilePhaseStands<T>(
  pool: Pool,
  act: (client: PoolClient, standing: PostgresPhaseState) => Promise<T>,
): Promise<T> {
  const begin = [boundsStatement(), shared(SWITCH_LOCK), READ_PHASE];
  return transaction(pool, begin, (client, begun) => act(client, phaseOfRow(begun.at(-1)?.[0])));
}
