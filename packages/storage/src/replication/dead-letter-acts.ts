//   count, as of now ──> expected so many? ──> 500 at a time, oldest first, each in a transaction:
//     lock (what another act has is skipped) ── redrive │ delete ── audit_log
//   Stopped between two of them, what is left still matches: the same act again goes on.
import type { Pool, PoolClient } from 'pg';
import { TandemError } from '../errors.ts';
import type { StoreName } from '../phase/index.ts';
import type { AuditLog } from './audit-log.ts';
import { QUEUE_SCHEMA } from './boss.ts';
import { conditionOf, type DeadLetterFilter, DIRECTIONS } from './dead-letter-filter.ts';
import { countDeadLetters } from './dead-letters.ts';
import { readJobData } from './job-payload.ts';
import { QUEUES } from './job-sink.ts';
import { deadLetterQueueOf } from './queues.ts';
import { inTransaction } from './transaction.ts';
import { sayJobsArrived } from './wake.ts';

const TABLE = `${QUEUE_SCHEMA}.job`;
const BATCH_LETTERS = 500;
const TRANSACTION_TIMEOUT_MS = 30_000;

export const DEAD_LETTER_ACTS = ['redrive', 'discard'] as const;
export type DeadLetterAct = (typeof DEAD_LETTER_ACTS)[number];

export interface DeadLetterActProgress {
  readonly done: number;
  readonly total: number;
}

export interface DeadLetterActOptions {
  readonly pool: Pool;
  readonly audit: AuditLog;
  /** Who does it, and why; kept in the audit log. */
  readonly actor: string;
  readonly reason: string;
  /** Counts, and changes nothing. */
  readonly dryRun?: boolean;
  /** Changes nothing unless exactly so many match. */
  readonly expectedCount?: number;
  /** Changes about so many at most, and leaves the rest for the next call. */
  readonly limit?: number;
  /** Ends the act after the batch in hand. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DeadLetterActProgress) => void;
}

export interface DeadLetterActResult {
  readonly matched: number;
  readonly changed: number;
  /** Gone before their turn: redriven, discarded or retired by another. */
  readonly skipped: number;
  /** Not reached yet, because of the limit or the signal. */
  readonly remaining: number;
  /** ISO instant: what died later was not meant. Given as `olderThan`, the same act goes on where it
   *  was stopped. */
  readonly asOf: string;
}

interface LockedLetter {
  readonly id: string;
  readonly since: string;
  readonly data: unknown;
  readonly failure: unknown;
}

/** What each act does to locked letters. @returns what the audit log keeps of each */
const WORK: Readonly<
  Record<
    DeadLetterAct,
    (
      client: PoolClient,
      direction: StoreName,
      letters: readonly LockedLetter[],
    ) => Promise<readonly unknown[]>
  >
> = { redrive: redriveLocked, discard: discardLocked };

/**
 * Redrives or discards every dead letter that a filter means and that is dead as of now.
 *
 * - `redrive` puts them back into the queue they came from, as new jobs that have never failed. Always
 *   safe: what is stale or there already is a no-op when it is applied (I4).
 * - `discard` gives them up for good: their changes will not reach the secondary. What they carried and
 *   why they failed stays in the audit log.
 *
 * @throws {TandemError} `precondition-failed` when another number than `expectedCount` matches;
 *   `invalid`
 */
export async function actOnDeadLetters(
  act: DeadLetterAct,
  filter: DeadLetterFilter,
  options: DeadLetterActOptions,
): Promise<DeadLetterActResult> {
  const { pool, dryRun, expectedCount, limit = Number.POSITIVE_INFINITY } = options;
  const asOf = await nowAt(pool);
  // One that is redriven and dies again meanwhile is another letter, and not meant.
  const before =
    filter.olderThan === undefined || filter.olderThan > asOf ? asOf : filter.olderThan;
  const meant = { ...filter, olderThan: before };
  const matched = await countDeadLetters(pool, meant);
  if (expectedCount !== undefined && expectedCount !== matched) {
    throw new TandemError(
      'precondition-failed',
      `${matched} dead letters match, ${expectedCount} were expected; nothing was changed.`,
      { detail: { matched, expectedCount } },
    );
  }
  const result = { matched, asOf: before.toISOString() };
  if (dryRun === true) return { ...result, changed: 0, skipped: 0, remaining: matched };
  let changed = 0;
  let isWhole = true;
  for (const direction of DIRECTIONS) {
    let after: LockedLetter | undefined;
    do {
      isWhole = changed < limit && options.signal?.aborted !== true;
      if (!isWhole) break;
      const letters = await actOnBatch(act, meant, direction, after, options);
      changed += letters.length;
      after = letters.at(-1);
      if (after !== undefined) options.onProgress?.({ done: changed, total: matched });
    } while (after !== undefined);
  }
  const remaining = isWhole ? 0 : await countDeadLetters(pool, meant);
  return { ...result, changed, remaining, skipped: Math.max(0, matched - changed - remaining) };
}

/** The server’s clock, which letters have their instant of. */
async function nowAt(pool: Pool): Promise<Date> {
  const { rows } = await pool.query<{ now: string }>(
    'SELECT ceil(extract(epoch FROM clock_timestamp()) * 1000)::text AS now',
  );
  return new Date(Number(rows[0]?.now));
}

/** Acts on the next letters of a direction. @returns them; none when there are no more */
function actOnBatch(
  act: DeadLetterAct,
  filter: DeadLetterFilter,
  direction: StoreName,
  after: LockedLetter | undefined,
  { pool, audit, actor, reason }: DeadLetterActOptions,
): Promise<readonly LockedLetter[]> {
  return inTransaction(pool, { timeoutMs: TRANSACTION_TIMEOUT_MS }, async (client) => {
    const letters = await lockLetters(client, filter, direction, after);
    if (letters.length === 0) return [];
    const kept = await WORK[act](client, direction, letters);
    const details = { filter, direction, letters: kept };
    await audit.record(client, { actor, action: `${act}-dead-letters`, reason, details });
    return letters;
  });
}

async function lockLetters(
  client: PoolClient,
  filter: DeadLetterFilter,
  direction: StoreName,
  after: LockedLetter | undefined,
): Promise<readonly LockedLetter[]> {
  const condition = conditionOf(filter, direction);
  if (condition === undefined) return [];
  const { text, values } = condition;
  const free = values.length;
  const beyond =
    after === undefined
      ? ''
      : `AND (created_on, id) > ($${free + 2}::timestamptz, $${free + 3}::uuid)`;
  // As text: whatever parsers the pool has, the values reach the audit log as they are.
  const { rows } = await client.query<Record<'id' | 'since' | 'data' | 'failure', string | null>>(
    `SELECT id, created_on::text AS since, data::text AS data, source_output::text AS failure
     FROM ${TABLE} WHERE ${text} AND state < 'active' ${beyond}
     ORDER BY created_on, id LIMIT $${free + 1} FOR UPDATE SKIP LOCKED`,
    [...values, BATCH_LETTERS, ...(after === undefined ? [] : [after.since, after.id])],
  );
  return rows.map(({ id, since, data, failure }) => ({
    ...{ id: id as string, since: since as string },
    data: data === null ? null : JSON.parse(data),
    failure: failure === null ? null : JSON.parse(failure),
  }));
}

/**
 * As pg-boss's own redrive does it: a new job with the options its queue has now, and where the chain
 * began. It also takes its attempts along, so that none is forgotten should it die again.
 */
async function redriveLocked(
  client: PoolClient,
  direction: StoreName,
  letters: readonly LockedLetter[],
): Promise<readonly unknown[]> {
  const queue = QUEUES[direction];
  const { rowCount } = await client.query(
    `WITH gone AS (DELETE FROM ${TABLE} WHERE name = $1 AND id = ANY ($2::uuid[]) RETURNING *)
     INSERT INTO ${TABLE} (name, priority, data, retry_limit, retry_backoff, retry_delay,
       retry_delay_max, keep_until, deletion_seconds, expire_seconds, policy, singleton_key, group_id,
       group_tier, heartbeat_seconds, dead_letter, source_root_id, trace_context, output)
     SELECT q.name, j.priority, j.data, q.retry_limit, q.retry_backoff, q.retry_delay,
       q.retry_delay_max, now() + q.retention_seconds * interval '1s', q.deletion_seconds,
       q.expire_seconds, q.policy, j.singleton_key, j.group_id, j.group_tier, q.heartbeat_seconds,
       q.dead_letter, coalesce(j.source_root_id, j.source_id), j.trace_context,
       jsonb_build_object('failures', 0, 'attempts', coalesce(j.source_output->'attempts', '[]'),
         'redriven', 1 + CASE WHEN jsonb_typeof(j.source_output->'redriven') = 'number'
           THEN (j.source_output->>'redriven')::bigint ELSE 0 END)
     FROM gone j JOIN ${QUEUE_SCHEMA}.queue q ON q.name = $3`,
    [deadLetterQueueOf(queue), letters.map(({ id }) => id), queue],
  );
  if (rowCount !== letters.length) throw new Error('A locked dead letter could not be redriven.');
  await sayJobsArrived(client, queue);
  return letters.map(({ id, data }) => ({ jobId: id, ...nameOf(data) }));
}

async function discardLocked(
  client: PoolClient,
  direction: StoreName,
  letters: readonly LockedLetter[],
): Promise<readonly unknown[]> {
  await client.query(`DELETE FROM ${TABLE} WHERE name = $1 AND id = ANY ($2::uuid[])`, [
    deadLetterQueueOf(QUEUES[direction]),
    letters.map(({ id }) => id),
  ]);
  return letters.map(({ id, data, failure }) => ({ jobId: id, data, failure }));
}

/** What a letter was about, without any of its content. */
function nameOf(data: unknown): object {
  const read = readJobData(data);
  if (!read.ok) return {};
  if (read.item.kind === 'key') return { key: read.item.key.key };
  const { collection, id, epoch, version } = read.item.change;
  return { collection, id, epoch, version };
}
