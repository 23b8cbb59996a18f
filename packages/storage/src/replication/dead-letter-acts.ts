//   matching letters, named once ──> expected so many? ──> 500 at a time, each in a transaction:
//     lock (what another act has is skipped) ── redrive │ delete ── audit_log
import type { PoolClient } from 'pg';
import type { PgBoss } from 'pg-boss';
import { TandemError } from '../errors.ts';
import type { StoreName } from '../phase/index.ts';
import type { AuditLog } from './audit-log.ts';
import { bossDatabase, QUEUE_SCHEMA, type QueueClient } from './boss.ts';
import { type DeadLetterFilter, directionOf, filterValues, MATCHES } from './dead-letter-filter.ts';
import { readJobData } from './job-payload.ts';
import { QUEUES } from './job-sink.ts';
import { deadLetterQueueOf } from './queues.ts';
import { inTransaction } from './transaction.ts';
import { sayJobsArrived } from './wake.ts';

const TABLE = `${QUEUE_SCHEMA}.job`;
const LETTERS_MAX = 200_000;
const BATCH_LETTERS = 500;
const TRANSACTION_TIMEOUT_MS = 30_000;

export interface DeadLetterActOptions {
  readonly queues: QueueClient;
  readonly audit: AuditLog;
  /** Who does it, and why; kept in the audit log. */
  readonly actor: string;
  readonly reason: string;
  /** Counts, and changes nothing. */
  readonly dryRun?: boolean;
  /** Changes nothing unless exactly so many match. */
  readonly expectedCount?: number;
}

export interface DeadLetterActResult {
  readonly matched: number;
  readonly changed: number;
  /** Gone before their turn: redriven, discarded or retired by another. */
  readonly skipped: number;
}

interface LockedLetter {
  readonly id: string;
  readonly data: unknown;
  readonly failure: unknown;
}

/** Does the act to locked letters. @returns what the audit log keeps of each */
type Act = (
  boss: PgBoss,
  client: PoolClient,
  direction: StoreName,
  letters: readonly LockedLetter[],
) => Promise<readonly unknown[]>;

/**
 * Puts dead letters back into the queue they came from, as new jobs that have never failed. Always
 * safe: what is stale or there already is a no-op when it is applied (I4).
 * @throws {TandemError} `precondition-failed` when another number than `expectedCount` matches;
 *   `too-large`, `invalid`
 */
export const redriveDeadLetters = (
  filter: DeadLetterFilter,
  options: DeadLetterActOptions,
): Promise<DeadLetterActResult> =>
  act('redrive-dead-letters', filter, options, async (boss, client, direction, letters) => {
    const db = bossDatabase(client);
    const moved = await boss.redrive(deadLetterQueueOf(QUEUES[direction]), {
      ...{ ids: letters.map(({ id }) => id), limit: letters.length },
      ...{ destination: QUEUES[direction], db },
    });
    if (moved !== letters.length) throw new Error('A locked dead letter could not be redriven.');
    await sayJobsArrived(client, QUEUES[direction]);
    return letters.map(({ id, data }) => ({ jobId: id, ...nameOf(data) }));
  });

/**
 * Gives dead letters up for good: their changes will not reach the secondary. What they carried and
 * why they failed stays in the audit log.
 * @throws {TandemError} as {@link redriveDeadLetters}
 */
export const discardDeadLetters = (
  filter: DeadLetterFilter,
  options: DeadLetterActOptions,
): Promise<DeadLetterActResult> =>
  act('discard-dead-letters', filter, options, async (_boss, client, direction, letters) => {
    await client.query(`DELETE FROM ${TABLE} WHERE name = $1 AND id = ANY ($2::uuid[])`, [
      deadLetterQueueOf(QUEUES[direction]),
      letters.map(({ id }) => id),
    ]);
    return letters.map(({ id, data, failure }) => ({ jobId: id, data, failure }));
  });

async function act(
  action: string,
  filter: DeadLetterFilter,
  options: DeadLetterActOptions,
  work: Act,
): Promise<DeadLetterActResult> {
  const { queues, audit, actor, reason, dryRun, expectedCount } = options;
  const matching = await matchingLetters(queues, filter);
  const matched = [...matching.values()].reduce((sum, ids) => sum + ids.length, 0);
  if (expectedCount !== undefined && expectedCount !== matched) {
    throw new TandemError(
      'precondition-failed',
      `${matched} dead letters match, ${expectedCount} were expected; nothing was changed.`,
      { detail: { matched, expectedCount } },
    );
  }
  if (dryRun === true) return { matched, changed: 0, skipped: 0 };
  const boss = await queues.ready();
  let changed = 0;
  for (const [direction, ids] of matching) {
    for (let from = 0; from < ids.length; from += BATCH_LETTERS) {
      const batch = ids.slice(from, from + BATCH_LETTERS);
      changed += await inTransaction(
        queues.pool,
        { timeoutMs: TRANSACTION_TIMEOUT_MS },
        async (client) => {
          const letters = await lockLetters(client, direction, batch);
          if (letters.length === 0) return 0;
          const kept = await work(boss, client, direction, letters);
          const details = { filter, direction, letters: kept };
          await audit.record(client, { actor, action, reason, details });
          return letters.length;
        },
      );
    }
  }
  return { matched, changed, skipped: matched - changed };
}

/** All that match, named once: what dies again meanwhile is not acted upon twice. */
async function matchingLetters(
  { pool }: QueueClient,
  filter: DeadLetterFilter,
): Promise<ReadonlyMap<StoreName, readonly string[]>> {
  const { rows } = await pool.query<{ id: string; name: string }>(
    `SELECT id, name FROM ${TABLE} WHERE ${MATCHES} ORDER BY created_on, id LIMIT $6`,
    [...filterValues(filter), LETTERS_MAX + 1],
  );
  if (rows.length > LETTERS_MAX) {
    const sentence = `More than ${LETTERS_MAX} dead letters match; narrow the filter.`;
    throw new TandemError('too-large', sentence);
  }
  const grouped = Map.groupBy(rows, ({ name }) => directionOf(name));
  return new Map([...grouped].map(([direction, found]) => [direction, found.map(({ id }) => id)]));
}

async function lockLetters(
  client: PoolClient,
  direction: StoreName,
  ids: readonly string[],
): Promise<readonly LockedLetter[]> {
  // As text: whatever parsers the pool has, the values reach the audit log as they are.
  const { rows } = await client.query<{ id: string; data: string; failure: string | null }>(
    `SELECT id, data::text AS data, source_output::text AS failure FROM ${TABLE}
     WHERE name = $1 AND id = ANY ($2::uuid[]) AND state < 'active'
     ORDER BY created_on, id FOR UPDATE SKIP LOCKED`,
    [deadLetterQueueOf(QUEUES[direction]), ids],
  );
  return rows.map(({ id, data, failure }) => ({
    id,
    data: JSON.parse(data),
    failure: failure === null ? null : JSON.parse(failure),
  }));
}

/** What a letter was about, without any of its content. */
function nameOf(data: unknown): object {
  const read = readJobData(data);
  if (!read.ok) return {};
  if (read.item.kind === 'key') return { key: read.item.key.key };
  const { collection, id, epoch, version } = read.item.change;
  return { collection, id, epoch, version };
}
