import type { Pool, PoolClient } from 'pg';
import type {
  VerifyDifference,
  VerifyResult,
  VerifyRuns,
  VerifySide,
} from '../consistency/verify-run.ts';
import { storageError } from './failure.ts';
import { boundsStatement } from './locks.ts';
import { isoInstant } from './phase-row.ts';
import { rows, transaction } from './transaction.ts';

/** Runs are kept this long; whoever begins one removes what is older. */
const KEPT_DAYS = 90;

/** What a gate, or a person, asks of the runs there were. */
export interface VerifySummary
  extends Pick<VerifyResult, 'startedAt' | 'finishedAt' | 'primary' | 'watermark' | 'outcome'> {
  readonly id: number;
}

/** The tables `verify_runs` and `verify_differences`. */
export function verifyRuns(pool: Pool): VerifyRuns {
  return {
    async begin({ startedAt, primary, watermark }) {
      return translated(async () => {
        await rows(
          pool,
          `DELETE FROM verify_runs WHERE started_at < now() - ${KEPT_DAYS} * interval '1 day'`,
        );
        const [row] = await rows(
          pool,
          `INSERT INTO verify_runs (started_at, "primary", epoch, outbox_seq)
           VALUES ($1, $2, $3, $4) RETURNING id`,
          [startedAt, primary, watermark.epoch, watermark.outboxSeq],
        );
        return row?.[0] as number;
      });
    },

    async finish(id, result) {
      await translated(() =>
        transaction(pool, [boundsStatement()], async (client) => {
          const { finishedAt, seen, keysSeen, counts, outcome, differences } = result;
          await rows(
            client,
            `UPDATE verify_runs SET finished_at = $2, seen = $3, keys_seen = $4, counts = $5,
               outcome = $6 WHERE id = $1`,
            [id, finishedAt, seen, keysSeen, JSON.stringify(counts), outcome],
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
      `SELECT id, ${isoInstant('started_at')}, ${isoInstant('finished_at')}, "primary", epoch,
         outbox_seq, outcome
       FROM verify_runs WHERE finished_at IS NOT NULL ORDER BY finished_at DESC, id DESC LIMIT 1`,
    ),
  );
  if (row === undefined) return undefined;
  const [id, startedAt, finishedAt, primary, epoch, outboxSeq, outcome] = row;
  return {
    ...{ id, startedAt, finishedAt, primary, outcome },
    watermark: { epoch, outboxSeq },
  } as VerifySummary;
}

async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storageError(error);
  }
}
