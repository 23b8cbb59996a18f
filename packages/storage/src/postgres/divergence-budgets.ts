import type { Pool } from 'pg';
import type { DivergenceBudget } from '../consistency/divergence-ledger.ts';
import { storageError } from './failure.ts';
import { rows } from './transaction.ts';

const BUDGETS = `
  SELECT collection, coalesce(open, 0), coalesce(allowed, 0)
  FROM (SELECT coalesce(collection, 'key') AS collection, count(*)::integer AS open
        FROM divergences
        WHERE resolved_at IS NULL AND found_by <> 'apply'
          AND class IN ('fork', 'conflict', 'divergent')
        GROUP BY 1) AS found
    FULL JOIN divergence_budgets USING (collection)
  ORDER BY collection`;

/** As `DivergenceLedger.budgets`. @throws {TandemError} `unavailable`, `storage-failed` */
export async function readBudgets(pool: Pool): Promise<readonly DivergenceBudget[]> {
  try {
    const found = await rows(pool, BUDGETS);
    return found.map(
      ([collection, open, allowed]) => ({ collection, open, allowed }) as DivergenceBudget,
    );
  } catch (error) {
    throw storageError(error);
  }
}
