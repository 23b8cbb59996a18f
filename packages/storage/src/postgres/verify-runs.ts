import type { Pool, PoolClient } from 'pg';
import type { RollbackReadiness } from '../consistency/rollback-readiness.ts';
import type {
  VerifyDifference,
  VerifyResult,
  VerifyRun,
  VerifyRuns,
  VerifySide,
} from '../consistency/verify-run.ts';
import { TandemError } from '../errors.ts';
import type { Verified } from '../phase/index.ts';
import { translated } from './failure.ts';
import { boundsStatement } from './locks.ts';
import { isoInstant } from './phase-row.ts';
import { type Row, rows, transaction } from './transaction.ts';
import { sideOf } from './two-sides.ts';

/** Runs are kept this long; whoever begins one removes what is older. */
const KEPT_DAYS = 90;

/** A run that was cut off longer ago is begun anew. */
const CUT_OFF_HOURS = 6;

const CUT_OFF = `
  SELECT progress FROM verify_runs AS r
  WHERE mode = 'full' AND follows AND finished_at IS NULL AND progress IS NOT NULL
    AND "primary" = $1 AND epoch = $2 AND started_at > now() - ${CUT_OFF_HOURS} * interval '1 hour'
    AND NOT EXISTS (SELECT FROM verify_runs AS later
                    WHERE later.mode = 'full' AND later.follows AND later.finished_at > r.started_at)
  ORDER BY id DESC LIMIT 1`;

const KEYS_UNTIL = `
  SELECT ${isoInstant('max(keys_until)')} FROM verify_runs
  WHERE follows AND "primary" = $1 AND epoch = $2`;

const SINCE_FULL = `
  SELECT (extract(epoch FROM now() - max(finished_at)) * 1000)::bigint FROM verify_runs
  WHERE mode = 'full' AND follows AND "primary" = $1 AND epoch = $2`;

/** What a gate, or a person, asks of the runs there were. */
export interface VerifySummary
  extends Pick<
    VerifyResult,
    'startedAt' | 'finishedAt' | 'primary' | 'mode' | 'watermark' | 'outcome'
  > {
  readonly id: number;
  /** Of the last run that read something. */
  readonly lastReadiness: RollbackReadiness | null;
}

/** The tables `verify_runs` and `verify_differences`. */
export function verifyRuns(pool: Pool): VerifyRuns {
  return {
    async begin({ startedAt, primary, mode, watermark, isFollowed }) {
      return translated(async () => {
        await rows(
          pool,
          `DELETE FROM verify_runs WHERE started_at < now() - ${KEPT_DAYS} * interval '1 day'
             OR (mode = 'changed' AND outcome = 'clean' AND started_at < now() - interval '1 day')`,
        );
        const [row] = await rows(
          pool,
          `INSERT INTO verify_runs (started_at, "primary", mode, epoch, outbox_seq, follows)
           VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
          [startedAt, primary, mode, watermark.epoch, watermark.outboxSeq, isFollowed],
        );
        return row?.[0] as number;
      });
    },

    async cutOff(primary, epoch) {
      const [row] = await translated(() => rows(pool, CUT_OFF, [primary, epoch]));
      return row === undefined ? undefined : JSON.parse(row[0] as string);
    },

    async sinceFull(primary, epoch) {
      const [row] = await translated(() => rows(pool, SINCE_FULL, [primary, epoch]));
      return (row?.[0] ?? null) as number | null;
    },

    async keysUntil(primary, epoch) {
      const [row] = await translated(() => rows(pool, KEYS_UNTIL, [primary, epoch]));
      return (row?.[0] ?? null) as string | null;
    },

    async reached(id, position) {
      await translated(() =>
        rows(pool, 'UPDATE verify_runs SET progress = $2 WHERE id = $1', [
          id,
          JSON.stringify(position),
        ]),
      );
    },

    async finish(id, result, keysUntil) {
      await translated(() =>
        transaction(pool, [boundsStatement()], async (client) => {
          const { finishedAt, seen, keysSeen, counts, outcome, readiness, differences } = result;
          await rows(
            client,
            `UPDATE verify_runs SET finished_at = $2, seen = $3, keys_seen = $4, counts = $5,
               outcome = $6, readiness = $7, keys_until = $8, progress = NULL WHERE id = $1`,
            [
              ...[id, finishedAt, seen, keysSeen, JSON.stringify(counts), outcome],
              readiness === undefined ? null : JSON.stringify(readiness),
              keysUntil,
            ],
          );
          for (const difference of differences) await insertDifference(client, id, difference);
        }),
      );
    },
  };
}

async function insertDifference(
  client: PoolClient,
  runId: number,
  { class: name, kind, subject, primary, secondary, detail }: VerifyDifference,
): Promise<void> {
  const record =
    'key' in subject ? [null, null, subject.key] : [subject.collection, subject.id, null];
  const side = (one: VerifySide | undefined) => [
    one?.epoch ?? null,
    one?.version ?? null,
    one?.text ?? null,
  ];
  await rows(
    client,
    `INSERT INTO verify_differences
       (run_id, class, kind, collection, record_id, key, primary_epoch, primary_version,
        primary_text, secondary_epoch, secondary_version, secondary_text, detail)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [runId, name, kind, ...record, ...side(primary), ...side(secondary), detail ?? null],
  );
}

/**
 * The last run that finished; `undefined` before the first.
 * @throws {TandemError} `unavailable`, `storage-failed`
 */
export async function lastVerify(pool: Pool): Promise<VerifySummary | undefined> {
  const [row] = await translated(() =>
    rows(
      pool,
      `SELECT id, ${isoInstant('started_at')}, ${isoInstant('finished_at')}, "primary", mode, epoch,
         outbox_seq, outcome,
         (SELECT readiness FROM verify_runs WHERE readiness IS NOT NULL
          ORDER BY finished_at DESC, id DESC LIMIT 1)
       FROM verify_runs WHERE finished_at IS NOT NULL ORDER BY finished_at DESC, id DESC LIMIT 1`,
    ),
  );
  if (row === undefined) return undefined;
  const [id, startedAt, finishedAt, primary, mode, epoch, outboxSeq, outcome, readiness] = row;
  return {
    ...{ id, startedAt, finishedAt, primary, mode, outcome },
    watermark: { epoch, outboxSeq },
    lastReadiness: readiness === null ? null : JSON.parse(readiness as string),
  } as VerifySummary;
}

/**
 * What the last run from a primary found, and how long ago; `null` before the first of this epoch: with
 * what was written while the other store did not follow, an older one says nothing.
 * @throws {TandemError} `unavailable`, `storage-failed`
 */
export async function verifiedLast(
  pool: Pool,
  primary: VerifySummary['primary'],
): Promise<Verified | null> {
  const [row] = await translated(() =>
    rows(
      pool,
      `SELECT outcome, (extract(epoch FROM now() - finished_at) * 1000)::bigint FROM verify_runs
       WHERE finished_at IS NOT NULL AND follows AND "primary" = $1
         AND epoch >= (SELECT epoch FROM phase_state)
       ORDER BY finished_at DESC, id DESC LIMIT 1`,
      [primary],
    ),
  );
  return row === undefined ? null : ({ outcome: row[0], ageMs: row[1] } as Verified);
}

/**
 * A run that finished, with the differences that were kept.
 * @throws {TandemError} `unavailable`, `storage-failed`; `not-found`
 */
export async function readVerifyRun(pool: Pool, id: number): Promise<VerifyRun> {
  const [run] = await translated(() =>
    rows(
      pool,
      `SELECT ${isoInstant('started_at')}, ${isoInstant('finished_at')}, "primary", mode, epoch,
         outbox_seq, seen, keys_seen, counts, outcome, readiness
       FROM verify_runs WHERE id = $1 AND finished_at IS NOT NULL`,
      [id],
    ),
  );
  if (run === undefined) throw new TandemError('not-found', `No verify ${id} has finished.`);
  const found = await translated(() =>
    rows(
      pool,
      `SELECT class, kind, collection, record_id, key, primary_epoch, primary_version, primary_text,
         secondary_epoch, secondary_version, secondary_text, detail
       FROM verify_differences WHERE run_id = $1 ORDER BY id`,
      [id],
    ),
  );
  const [startedAt, finishedAt, primary, mode, epoch, outboxSeq, ...rest] = run;
  const [seen, keysSeen, counts, outcome, readiness] = rest;
  return {
    ...{ id, startedAt, finishedAt, primary, mode, seen, keysSeen, outcome },
    ...{ watermark: { epoch, outboxSeq }, counts: JSON.parse(counts as string) },
    ...(readiness === null ? {} : { readiness: JSON.parse(readiness as string) }),
    differences: found.map(differenceOf),
  } as VerifyRun;
}

function differenceOf(row: Row): VerifyDifference {
  const [name, kind, collection, id, key, pe, pv, pt, se, sv, st, detail] = row;
  return {
    ...{ class: name, kind, subject: collection === null ? { key } : { collection, id } },
    ...sideOf('primary', pe, pv, pt),
    ...sideOf('secondary', se, sv, st),
    ...(detail === null ? {} : { detail }),
  } as VerifyDifference;
}
