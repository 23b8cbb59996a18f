import type { Pool, PoolClient } from 'pg';
import type {
  HistoryEntry,
  MeasuredPause,
  Phase,
  PhaseIntent,
  PostgresPhaseState,
} from '../phase/index.ts';
import { flagsOf } from '../phase/index.ts';
import { storageError } from './failure.ts';
import { writeFlags } from './flags.ts';
import { isoInstant } from './phase-row.ts';
import { whilePhaseStands } from './standing-phase.ts';
import { type Row, rows } from './transaction.ts';

const INTENT = `SELECT ${isoInstant('at')}, actor, act, desired, reason FROM phase_intents`;

/**
 * What an operator asked for last; `null` before anybody did. Whoever moves the phase towards
 * `desired` moves it for this reason.
 * @throws {TandemError} `unavailable`, `storage-failed`
 */
export async function readPhaseIntent(pool: Pool): Promise<PhaseIntent | null> {
  try {
    const [row] = await rows(pool, `${INTENT} ORDER BY id DESC LIMIT 1`);
    return row === undefined ? null : intentOfRow(row);
  } catch (error) {
    throw storageError(error);
  }
}

const intentOfRow = ([at, actor, act, desired, reason]: Row): PhaseIntent =>
  ({ at, actor, act, desired, reason }) as PhaseIntent;

/**
 * Writes both flags and who asked for them why, in one transaction. The phase can't move on
 * PostgreSQL's side in between: `decide` is given the row as it stands until the commit.
 * @returns what `decide` chose
 */
export async function askForPhase(
  pool: Pool,
  asked: Pick<PhaseIntent, 'actor' | 'act' | 'reason'>,
  decide: (standing: PostgresPhaseState) => Phase,
): Promise<Phase> {
  return whilePhaseStands(pool, async (client, standing) => {
    const desired = decide(standing);
    await writeFlags(client, flagsOf(desired));
    await writeIntent(client, { ...asked, desired });
    return desired;
  });
}

async function writeIntent(client: PoolClient, intent: Omit<PhaseIntent, 'at'>): Promise<void> {
  await rows(
    client,
    `INSERT INTO phase_intents (at, actor, act, desired, reason) VALUES (now(), $1, $2, $3, $4)`,
    [intent.actor, intent.act, intent.desired, intent.reason],
  );
}

/** Moves and intents together, newest first. */
export async function readPhaseHistory(pool: Pool, limit: number): Promise<HistoryEntry[]> {
  const found = await rows(
    pool,
    `SELECT ${isoInstant('at')}, kind, actor, from_phase, to_phase, epoch, reason, evidence FROM (
       SELECT at, 'moved' AS kind, id, actor, from_phase, to_phase, epoch, reason, evidence
       FROM phase_history
       UNION ALL
       SELECT at, act, id, actor, NULL, desired, NULL, reason, NULL FROM phase_intents
     ) AS entries
     ORDER BY at DESC, kind = 'moved' DESC, id DESC LIMIT $1`,
    [limit],
  );
  return found.map(([at, kind, actor, from, to, epoch, reason, evidence]) => {
    const entry = { at, kind, actor, from, to, epoch, reason };
    return { ...entry, evidence: evidence === null ? null : JSON.parse(String(evidence)) };
  }) as HistoryEntry[];
}

/** Switches that moved the primary lately and noted how long requests waited, newest first. */
export async function readPauses(pool: Pool): Promise<MeasuredPause[]> {
  const found = await rows(
    pool,
    `SELECT from_phase, to_phase, evidence->>'pauseMs' FROM phase_history
     WHERE json_typeof(evidence->'pauseMs') = 'number' ORDER BY id DESC LIMIT 10`,
  );
  return found.map(([from, to, ms]) => ({ from, to, pauseMs: Number(ms) })) as MeasuredPause[];
}
