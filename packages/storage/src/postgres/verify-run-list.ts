import type { Pool } from 'pg';
import type { VerifyResult } from '../consistency/verify-run.ts';
import { storageError } from './failure.ts';
import { isoInstant } from './phase-row.ts';
import { type Row, rows } from './transaction.ts';

/** A comparison as a list has it. What a finished one found is `null` while it goes on, and for good
 *  when it was cut off. */
export interface ListedVerify extends Pick<VerifyResult, 'startedAt' | 'primary' | 'mode'> {
  readonly id: number;
  readonly finishedAt: string | null;
  readonly outcome: VerifyResult['outcome'] | null;
  readonly seen: number | null;
  readonly keysSeen: number | null;
  /** Differences by class. */
  readonly counts: Readonly<Record<string, number>> | null;
}

export interface VerifyListPage {
  readonly limit: number;
  /** Runs below this id. */
  readonly before?: number;
}

/**
 * Comparisons there were, newest first.
 * @throws {TandemError} `unavailable`, `storage-failed`
 */
export async function listVerifyRuns(
  pool: Pool,
  { limit, before }: VerifyListPage,
): Promise<readonly ListedVerify[]> {
  try {
    const found = await rows(
      pool,
      `SELECT id, ${isoInstant('started_at')}, ${isoInstant('finished_at')}, "primary", mode,
         outcome, seen, keys_seen, counts
       FROM verify_runs WHERE $1::integer IS NULL OR id < $1 ORDER BY id DESC LIMIT $2`,
      [before ?? null, limit],
    );
    return found.map(listedOf);
  } catch (error) {
    throw storageError(error);
  }
}

function listedOf(row: Row): ListedVerify {
  const [id, startedAt, finishedAt, primary, mode, outcome, seen, keysSeen, counts] = row;
  return {
    ...{ id, startedAt, finishedAt, primary, mode, outcome, seen, keysSeen },
    counts: counts === null ? null : JSON.parse(counts as string),
  } as ListedVerify;
}
