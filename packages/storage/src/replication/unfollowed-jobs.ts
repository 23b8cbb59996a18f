//   JSON follows ── jobs are worked ──▶ it ceases to ── its driver drops what is left ─┬─▶ none
//                                                                 failed, or died ────┴─▶ here, later
import type { PoolClient } from 'pg';
import { type PostgresPhaseState, secondaryOf } from '../phase/index.ts';
import { QUEUE_SCHEMA } from './boss.ts';
import { QUEUES } from './job-sink.ts';

/** In one transaction, which whoever moves the phase waits for. */
const DROPPED_MAX = 5_000;

/** Acts while the phase can't move on PostgreSQL's side; implemented in `postgres/`. */
export type WhilePhaseStands = (
  act: (client: PoolClient, standing: PostgresPhaseState) => Promise<number>,
) => Promise<number>;

/**
 * Drops jobs towards a JSON store that follows nobody: no worker takes them, and they would stand as a
 * backlog for ever. JSON is brought up by difference before it follows again, so nothing is lost with them.
 * Jobs that somebody has in hand are left to the next look.
 * @returns how many were dropped
 */
export function dropUnfollowed(whilePhaseStands: WhilePhaseStands): Promise<number> {
  return whilePhaseStands(async (client, { phase, sealed }) => {
    // Sealed, JSON is about to become something else: what is queued is that switch's to drain.
    if (sealed || secondaryOf(phase) === 'json') return 0;
    const { rowCount } = await client.query(
      `DELETE FROM ${QUEUE_SCHEMA}.job WHERE name = $1 AND id IN (
         SELECT id FROM ${QUEUE_SCHEMA}.job
         WHERE name = $1 AND state IN ('created', 'retry', 'active')
         LIMIT ${DROPPED_MAX} FOR UPDATE SKIP LOCKED)`,
      [QUEUES.json],
    );
    return rowCount ?? 0;
  });
}
