import type { Pool, PoolClient } from 'pg';
import {
  isPhase,
  leadsTowards,
  type PhaseMove,
  type PostgresPhase,
  type PostgresPhaseState,
} from '../phase/index.ts';
import { noteJson, readAcquaintance } from './acquaintance.ts';
import { readBudgets } from './divergence-budgets.ts';
import { storageError } from './failure.ts';
import { readFlagRows } from './flags.ts';
import { boundsStatement, exclusive, SWITCH_LOCK } from './locks.ts';
import { readStandingIntent } from './standing-intent.ts';
import { type Row, rows, transaction } from './transaction.ts';

/** An instant as the ISO text that `Date.toISOString` writes. */
export const isoInstant = (column: string): string =>
  `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

/** Reads the one row. In a write transaction it stands after the shared lock, in a statement of its
 *  own: only then does its snapshot see what the last holder of the exclusive lock committed (I3). */
export const READ_PHASE = `SELECT pair_id, epoch, phase, sealed, ${isoInstant('catch_up_since')}, attempt FROM phase_state`;

const WRITABLE = `SELECT current_setting('transaction_read_only')::boolean,
  has_table_privilege('phase_state', 'UPDATE')`;

const UNDECIDED = `SELECT count(*)::int FROM divergences
  WHERE found_by = 'apply' AND resolved_at IS NULL`;

export function phaseOfRow(row: Row | undefined): PostgresPhaseState {
  if (row === undefined) throw new Error('phase_state has no row.');
  const [pairId, epoch, phase, sealed, catchUpSince, attempt] = row;
  if (!isPhase(phase)) throw new Error(`phase_state names no phase: ${String(phase)}.`);
  return { pairId, epoch, phase, sealed, catchUpSince, attempt } as PostgresPhaseState;
}

/** The phase row (`PostgresPhase`). `now` gives the instant that the history notes. */
export function postgresPhase(pool: Pool, now: () => Date): PostgresPhase {
  return {
    async undecided() {
      try {
        const found = await rows(pool, UNDECIDED);
        return found[0]?.[0] as number;
      } catch (error) {
        throw storageError(error);
      }
    },

    overBudget: async () => (await readBudgets(pool)).filter(({ open, allowed }) => open > allowed),

    async read() {
      try {
        return phaseOfRow((await rows(pool, READ_PHASE))[0]);
      } catch (error) {
        throw storageError(error);
      }
    },

    async writeProblem() {
      try {
        const [row] = await rows(pool, WRITABLE);
        const [isReadOnly, mayWrite] = row as [boolean, boolean];
        if (isReadOnly) return 'PostgreSQL is read-only';
        return mayWrite ? null : 'this user may not write to PostgreSQL';
      } catch (error) {
        throw storageError(error);
      }
    },

    acquaintance: (pairId) => readAcquaintance(pool, pairId),
    noteJson: (pairId, seen) => noteJson(pool, pairId, seen),

    async advance(...given) {
      return advance(pool, now, undefined, ...given);
    },

    async advanceAfter(commit, ...given) {
      return advance(pool, now, commit, ...given);
    },
  };
}

/** @param commit what happens elsewhere, under the lock, before the row is written */
async function advance(
  pool: Pool,
  now: () => Date,
  commit: (() => Promise<void>) | undefined,
  ...[expectedEpoch, change, move, guard]: Parameters<PostgresPhase['advance']>
): Promise<boolean> {
  const begin = [boundsStatement(), exclusive(SWITCH_LOCK), READ_PHASE];
  try {
    return await transaction(pool, begin, async (client, begun) => {
      const current = phaseOfRow(begun.at(-1)?.[0]);
      if (current.epoch !== expectedEpoch) return false;
      // What JSON commits is what was drained under the seal; without it more may have come since.
      if (commit !== undefined && !current.sealed) return false;
      if (guard !== undefined && !guard(await readFlagRows(client))) return false;
      await commit?.();
      const next = { ...current, ...change };
      await writePhase(client, next);
      await writeHistory(client, current, next, move, now());
      return true;
    });
  } catch (error) {
    throw storageError(error);
  }
}

async function writePhase(client: PoolClient, next: PostgresPhaseState): Promise<void> {
  await rows(
    client,
    `UPDATE phase_state
     SET pair_id = $1, epoch = $2, phase = $3, sealed = $4, catch_up_since = $5, attempt = $6`,
    [next.pairId, next.epoch, next.phase, next.sealed, next.catchUpSince, next.attempt],
  );
}

async function writeHistory(
  client: PoolClient,
  from: PostgresPhaseState,
  to: PostgresPhaseState,
  move: PhaseMove,
  at: Date,
): Promise<void> {
  const { actor, reason, evidence } = await askedFor(client, from, to, move);
  await rows(
    client,
    `INSERT INTO phase_history (at, actor, from_phase, to_phase, epoch, reason, evidence)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [
      ...[at.toISOString(), actor, from.phase, to.phase, to.epoch],
      ...[reason, JSON.stringify(evidence)],
    ],
  );
}

/** A move is an operator's if the flags still stand as the operator's transaction wrote them, and it
 *  leads where they lead; otherwise, e.g. after an UPDATE typed into psql, it is the driver's own. */
async function askedFor(
  client: PoolClient,
  from: PostgresPhaseState,
  to: PostgresPhaseState,
  move: PhaseMove,
): Promise<PhaseMove> {
  if (from.phase === to.phase) return move;
  const intent = await readStandingIntent(client);
  if (intent === undefined || !leadsTowards(from.phase, to.phase, intent.desired)) return move;
  const { actor, reason } = intent;
  const evidence = { ...move.evidence, driver: move.actor, because: move.reason };
  return { actor, reason, evidence };
}
