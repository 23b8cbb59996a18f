import type { Pool } from 'pg';
import type { VerifyMode, VerifyOutcome } from '../consistency/verify-run.ts';
import { storageError } from './failure.ts';
import { rows } from './transaction.ts';

/** A comparison that finished. */
interface FinishedVerify {
  readonly mode: VerifyMode;
  readonly ageSeconds: number;
  readonly outcome: VerifyOutcome;
  /** Differences by class. */
  readonly counts: Readonly<Record<string, number>>;
}

/** How far the two stores can be trusted to agree, as PostgreSQL has noted it. */
export interface TrustFacts {
  /** The last run of each mode that finished, the latest first. */
  readonly verified: readonly FinishedVerify[];
  /** Share of the records that survive the way to the secondary and back, 0 to 1; `null`: not known. */
  readonly readiness: number | null;
  /** Open entries of the ledger by class. */
  readonly divergences: Readonly<Record<string, number>>;
}

const LAST_RUNS = `SELECT DISTINCT ON (mode)
    mode, extract(epoch FROM now() - finished_at)::float8, outcome, counts
  FROM verify_runs WHERE finished_at IS NOT NULL ORDER BY mode, finished_at DESC, id DESC`;
const READINESS = `SELECT (readiness->>'share')::float8 FROM verify_runs
  WHERE readiness IS NOT NULL ORDER BY finished_at DESC, id DESC LIMIT 1`;
const OPEN = `SELECT class, count(*) FROM divergences WHERE resolved_at IS NULL GROUP BY class`;

/** What nothing on its way explains, and no other count tells. */
const NONE = { divergent: 0, conflict: 0, fork: 0 };

/** @throws {TandemError} `unavailable`, `storage-failed` */
export async function readTrustFacts(pool: Pool): Promise<TrustFacts> {
  try {
    const runs = (await rows(pool, LAST_RUNS)).map(([mode, ageSeconds, outcome, counts]) => {
      return { mode, ageSeconds, outcome, counts: JSON.parse(counts as string) } as FinishedVerify;
    });
    const [ready] = await rows(pool, READINESS);
    return {
      verified: runs.toSorted((a, b) => a.ageSeconds - b.ageSeconds),
      readiness: (ready?.[0] as number | undefined) ?? null,
      divergences: { ...NONE, ...Object.fromEntries(await rows(pool, OPEN)) },
    };
  } catch (error) {
    throw storageError(error);
  }
}
