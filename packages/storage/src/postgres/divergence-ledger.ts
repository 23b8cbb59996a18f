import type { Pool } from 'pg';
import type {
  DivergenceLedger,
  LedgerEntry,
  LedgerFilter,
  SeenDifference,
} from '../consistency/divergence-ledger.ts';
import type { VerifySide } from '../consistency/verify-run.ts';
import { readBudgets } from './divergence-budgets.ts';
import { storageError } from './failure.ts';
import { isoInstant } from './phase-row.ts';
import { type Row, rows } from './transaction.ts';
import { sideOf } from './two-sides.ts';

/** Rows of one statement: both texts of each travel in one parameter. */
const REPORT_ROWS_MAX = 500;

/** Entries that ended are kept this long; open ones for ever. */
const ENDED_KEPT_DAYS = 180;

// An open entry that applying made stands for its subject while it has what the secondary has: it keeps
// its sides. A secondary that was edited since gets an entry of its own, or the edit would be in none. What is open is updated
// before anything is inserted: an insert that meets a conflict uses up an id all the same. The conflict
// is left for two reports at once.
const REPORT = `
  WITH given AS (
    SELECT * FROM json_to_recordset($1::json) AS r(subject text, collection text, record_id bigint,
      key text, class text, kind text, primary_epoch bigint, primary_version bigint,
      primary_text text, secondary_epoch bigint, secondary_version bigint, secondary_text text,
      detail text)
  ), met AS (
    UPDATE divergences AS d SET last_seen = now(), last_run = coalesce($4, d.last_run)
    FROM given WHERE d.subject = given.subject AND d.found_by = 'apply' AND d.resolved_at IS NULL
      AND d.secondary_text IS NOT DISTINCT FROM given.secondary_text
    RETURNING d.subject
  ), known AS (
    UPDATE divergences AS d
    SET last_seen = now(), last_run = coalesce($4, d.last_run), secondary = $3,
      class = CASE WHEN $2 = 'verify' THEN given.class ELSE d.class END,
      kind = given.kind, detail = given.detail,
      primary_epoch = given.primary_epoch, primary_version = given.primary_version,
      primary_text = given.primary_text, secondary_epoch = given.secondary_epoch,
      secondary_version = given.secondary_version, secondary_text = given.secondary_text
    FROM given WHERE d.subject = given.subject AND d.found_by <> 'apply' AND d.resolved_at IS NULL
    RETURNING d.subject
  )
  INSERT INTO divergences (subject, collection, record_id, key, class, kind,
    primary_epoch, primary_version, primary_text,
    secondary_epoch, secondary_version, secondary_text, detail,
    found_by, secondary, last_run, first_seen, last_seen)
  SELECT given.*, $2, $3, $4::integer, now(), now() FROM given
  WHERE NOT EXISTS (SELECT FROM met WHERE met.subject = given.subject)
    AND NOT EXISTS (SELECT FROM known WHERE known.subject = given.subject)
  ORDER BY subject
  ON CONFLICT (subject) WHERE found_by <> 'apply' AND resolved_at IS NULL
  DO UPDATE SET last_seen = now(), last_run = coalesce(excluded.last_run, divergences.last_run)`;

const COLUMNS = `id, collection, record_id, key, class, kind, found_by, secondary,
  primary_epoch, primary_version, primary_text, secondary_epoch, secondary_version, secondary_text,
  detail, ${isoInstant('first_seen')}, ${isoInstant('last_seen')}, last_run,
  ${isoInstant('repaired_at')}, ${isoInstant('resolved_at')}, resolution, resolved_by, reason`;

const MATCHES = `($1::integer[] IS NULL OR id = ANY ($1::integer[]))
  AND ($2::boolean IS NULL OR (resolved_at IS NULL) = $2)
  AND ($3::text IS NULL OR collection = $3) AND ($4::bigint IS NULL OR record_id = $4)
  AND ($5::text IS NULL OR class = $5) AND ($6::integer IS NULL OR last_run = $6)
  AND ($7::integer IS NULL OR last_run IS DISTINCT FROM $7)
  AND ($8::text IS NULL OR found_by = $8)`;

/** The table `divergences`. */
export function divergenceLedger(pool: Pool): DivergenceLedger {
  const ask = async (text: string, values: readonly unknown[]): Promise<readonly Row[]> => {
    try {
      return await rows(pool, text, values);
    } catch (error) {
      throw storageError(error);
    }
  };
  return {
    async report(differences, { foundBy, into, runId }) {
      const bySubject = new Map(differences.map((one) => [nameOf(one), one]));
      const all = [...bySubject.values()];
      for (let from = 0; from < all.length; from += REPORT_ROWS_MAX) {
        const some = all.slice(from, from + REPORT_ROWS_MAX).map(givenRow);
        await ask(REPORT, [JSON.stringify(some), foundBy, into, runId ?? null]);
      }
    },

    async find(filter, { limit, after = 0 }) {
      const found = await ask(
        `SELECT ${COLUMNS} FROM divergences WHERE ${MATCHES} AND id > $9 ORDER BY id LIMIT $10`,
        [...filterValues(filter), after, limit],
      );
      return found.map(entryOf);
    },

    async openOf(subjects) {
      const found = await ask(
        `SELECT ${COLUMNS} FROM divergences
         WHERE subject = ANY ($1::text[]) AND resolved_at IS NULL ORDER BY id`,
        [subjects],
      );
      return found.map(entryOf);
    },

    async repairing(ids) {
      await ask(
        `UPDATE divergences SET repaired_at = now()
         WHERE id = ANY ($1::integer[]) AND resolved_at IS NULL`,
        [ids],
      );
    },

    async close(ids, { resolution, by, reason }) {
      const closed = await ask(
        `UPDATE divergences
         SET resolved_at = now(), resolution = $2, resolved_by = $3, reason = $4
         WHERE id = ANY ($1::integer[]) AND resolved_at IS NULL RETURNING id`,
        [ids, resolution, by, reason],
      );
      return closed.length;
    },

    async forgetEnded() {
      await ask(
        `DELETE FROM divergences
         WHERE resolved_at < now() - ${ENDED_KEPT_DAYS} * interval '1 day'`,
        [],
      );
    },

    budgets: () => readBudgets(pool),
  };
}

const nameOf = ({ subject }: SeenDifference): string =>
  'key' in subject ? `key ${subject.key}` : `${subject.collection} ${subject.id}`;

/** PostgreSQL's text has no NUL and no half of a surrogate pair. */
const storable = (text: string | null | undefined): string | null =>
  text?.replaceAll('\0', '\uFFFD').toWellFormed() ?? null;

/** In the order of the statement's `given`. */
function givenRow(difference: SeenDifference): object {
  const { subject, class: name, kind, primary, secondary, detail } = difference;
  const isKey = 'key' in subject;
  return {
    subject: nameOf(difference),
    collection: isKey ? null : subject.collection,
    record_id: isKey ? null : subject.id,
    key: isKey ? subject.key : null,
    class: name,
    kind,
    ...sideColumns('primary', primary),
    ...sideColumns('secondary', secondary),
    detail: storable(detail),
  };
}

const sideColumns = (name: 'primary' | 'secondary', side: VerifySide | undefined): object => ({
  [`${name}_epoch`]: side?.epoch ?? null,
  [`${name}_version`]: side?.version ?? null,
  [`${name}_text`]: storable(side?.text),
});

const filterValues = (filter: LedgerFilter): readonly unknown[] => [
  filter.ids ?? null,
  filter.isOpen ?? null,
  filter.collection ?? null,
  filter.recordId ?? null,
  filter.class ?? null,
  filter.runId ?? null,
  filter.notOfRun ?? null,
  filter.foundBy ?? null,
];

function entryOf(row: Row): LedgerEntry {
  const [id, collection, recordId, key, name, kind, foundBy, into, ...rest] = row;
  const [pe, pv, pt, se, sv, st, detail, firstSeen, lastSeen, lastRun, ...ends] = rest;
  const [repairedAt, resolvedAt, resolution, resolvedBy, reason] = ends;
  return {
    ...{ id, class: name, kind, foundBy, into, firstSeen, lastSeen, lastRun },
    ...{ repairedAt, resolvedAt, resolution, resolvedBy, reason },
    subject: collection === null ? { key } : { collection, id: recordId },
    ...sideOf('primary', pe, pv, pt),
    ...sideOf('secondary', se, sv, st),
    ...(detail === null ? {} : { detail }),
  } as LedgerEntry;
}
