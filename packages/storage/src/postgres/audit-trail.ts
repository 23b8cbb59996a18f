//   audit_log ──────────┐  what was done to data
//   phase_intents ──────┤  what phase was asked for
//   phase_history ──────┼──▶ one list, newest first, a page at a time
//   consistency_orders ─┘  comparisons: they change nothing, and are in no audit_log
import type { Pool } from 'pg';
import { TandemError } from '../errors.ts';
import { storageError } from './failure.ts';
import { type Row, rows } from './transaction.ts';

/** Longer details are left out of the list: those of a discard hold all that its letters carried. */
const DETAILS_BYTES_MAX = 16_384;

/** One thing that somebody, or the system by itself, did. */
export interface AuditTrailEntry {
  /** Stable; unique among all entries. */
  readonly id: string;
  /** ISO instant. */
  readonly at: string;
  readonly actor: string;
  /** A stable word, e.g. `redrive-dead-letters`, `ask-for-phase`, `move-phase`, `verify`. */
  readonly action: string;
  readonly reason: string;
  /** What it was done to, by action; `null` where it is too long for a list. */
  readonly details: Readonly<Record<string, unknown>> | null;
  readonly detailsBytes: number;
  /** Dead letters it was done to; `null` of other actions. */
  readonly letters: number | null;
}

/** Which entries are meant; what is left out does not narrow. */
export interface AuditTrailFilter {
  readonly action?: string;
  /** A part of who or why; ASCII case does not count. */
  readonly contains?: string;
  readonly olderThan?: Date;
  readonly newerThan?: Date;
}

export interface AuditTrailPage {
  readonly limit: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

export interface AuditTrail {
  readonly entries: readonly AuditTrailEntry[];
  /** Gives the page after this one; `null` on the last. */
  readonly next: string | null;
}

const ENTRIES = `
  SELECT 'audit' AS source, id, at, actor, action, reason, details FROM audit_log
  UNION ALL
  SELECT 'intent', id, at, actor,
    CASE act WHEN 'set' THEN 'ask-for-phase' ELSE 'take-back-phase' END, reason,
    json_build_object('desired', desired) FROM phase_intents
  UNION ALL
  SELECT 'phase', id, at, actor,
    CASE WHEN from_phase = to_phase THEN 'keep-phase' ELSE 'move-phase' END, reason,
    json_build_object('from', from_phase, 'to', to_phase, 'epoch', epoch, 'evidence', evidence)
  FROM phase_history
  UNION ALL
  SELECT 'order', id, asked_at, actor, kind, reason, scope FROM consistency_orders
  WHERE kind = 'verify'`;

// Details are looked at once the page is cut: many are long, and stored apart from their rows.
const PAGE = `
  WITH page AS MATERIALIZED (
    SELECT * FROM (${ENTRIES}) AS entries
    WHERE ($1::text IS NULL OR action = $1)
      AND ($2::text IS NULL OR strpos(lower(actor || ' ' || reason), lower($2)) > 0)
      AND ($3::timestamptz IS NULL OR at < $3) AND ($4::timestamptz IS NULL OR at >= $4)
      AND ($5::timestamptz IS NULL OR (at, source, id) < ($5, $6::text, $7::integer))
    ORDER BY at DESC, source DESC, id DESC LIMIT $8)
  SELECT source, id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    actor, action, reason, octet_length(details::text),
    CASE WHEN octet_length(details::text) <= ${DETAILS_BYTES_MAX} THEN details::text END,
    CASE WHEN action LIKE '%-dead-letters' THEN regexp_count(details::text, '"jobId":"') END
  FROM page ORDER BY at DESC, source DESC, id DESC`;

/**
 * Who did what, when and why, over all that is kept of it, newest first.
 * @throws {TandemError} `invalid` when the cursor is none; `unavailable`, `storage-failed`
 */
export async function readAuditTrail(
  pool: Pool,
  { action, contains, olderThan, newerThan }: AuditTrailFilter,
  { limit, cursor }: AuditTrailPage,
): Promise<AuditTrail> {
  const after = cursor === undefined ? [null, null, null] : readCursor(cursor);
  const values = [action ?? null, contains ?? null, olderThan ?? null, newerThan ?? null];
  let found: readonly Row[];
  try {
    found = await rows(pool, PAGE, [...values, ...after, limit + 1]);
  } catch (error) {
    throw storageError(error);
  }
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  const isMore = found.length > limit && last !== undefined;
  return { entries: shown.map(entryOf), next: isMore ? cursorOf(last) : null };
}

function entryOf(row: Row): AuditTrailEntry {
  const [source, id, at, actor, action, reason, detailsBytes, details, letters] = row;
  return {
    id: `${source}-${id}`,
    ...{ at, actor, action, reason, detailsBytes, letters },
    details: details === null ? null : JSON.parse(details as string),
  } as AuditTrailEntry;
}

const cursorOf = ([source, id, at]: Row): string => `${at}_${source}_${id}`;

const CURSOR =
  /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z)_(audit|intent|phase|order)_(\d{1,9})$/;

function readCursor(cursor: string): readonly unknown[] {
  const [, at = '', source, id] = CURSOR.exec(cursor) ?? [];
  if (!Number.isNaN(Date.parse(at))) return [at, source, Number(id)];
  throw new TandemError('invalid', 'The cursor is none that a page of the audit trail gave.');
}
