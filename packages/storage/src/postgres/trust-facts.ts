import type { Pool } from 'pg';
import type { VerifyOutcome } from '../consistency/verify-run.ts';
import { storageError } from './failure.ts';
import { rows } from './transaction.ts';

/** How far the two stores can be trusted to agree, as PostgreSQL has noted it. */
export interface TrustFacts {
  /** The last run that finished, if any did. */
  readonly verify?: {
    readonly ageSeconds: number;
    readonly outcome: VerifyOutcome;
    /** Differences by class. */
    readonly counts: Readonly<Record<string, number>>;
  };
  /** Open entries of the ledger by class. */
  readonly divergences: Readonly<Record<string, number>>;
}

const LAST_RUN = `SELECT extract(epoch FROM now() - finished_at)::float8, outcome, counts
  FROM verify_runs WHERE finished_at IS NOT NULL ORDER BY finished_at DESC, id DESC LIMIT 1`;
const OPEN = `SELECT class, count(*) FROM divergences WHERE resolved_at IS NULL GROUP BY class`;

/** What nothing on its way explains, and no other count tells. */
const NONE = { divergent: 0, conflict: 0, fork: 0 };

/** @throws {TandemError} `unavailable`, `storage-failed` */
export async function readTrustFacts(pool: Pool): Promise<TrustFacts> {
  try {
    const [run] = await rows(pool, LAST_RUN);
    const open = await rows(pool, OPEN);
    const divergences = { ...NONE, ...Object.fromEntries(open) };
    if (run === undefined) return { divergences };
    const [ageSeconds, outcome, counts] = run as [number, VerifyOutcome, string];
    return { divergences, verify: { ageSeconds, outcome, counts: JSON.parse(counts) } };
  } catch (error) {
    throw storageError(error);
  }
}
