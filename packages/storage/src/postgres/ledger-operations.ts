import type { Pool, PoolClient } from 'pg';
import { auditLog } from './audit-log.ts';
import { storageError } from './failure.ts';
import { boundsStatement } from './locks.ts';
import { rows, transaction } from './transaction.ts';

interface By {
  readonly actor: string;
  readonly reason: string;
}

/** What operators do to the ledger alone, each act with its entry in the audit log. Every method may
 *  throw `unavailable` or `storage-failed`. */
export interface LedgerOperations {
  /** Ends open entries; the stores stay as they are. @returns how many there were */
  accept(ids: readonly number[], by: By): Promise<number>;
  setBudget(
    budget: { readonly collection: string; readonly allowed: number },
    by: By,
  ): Promise<void>;
}

export function ledgerOperations(pool: Pool): LedgerOperations {
  const act = async <T>(work: (client: PoolClient) => Promise<T>): Promise<T> => {
    try {
      return await transaction(pool, [boundsStatement()], work);
    } catch (error) {
      throw storageError(error);
    }
  };
  return {
    accept: (ids, { actor, reason }) =>
      act(async (client) => {
        const ended = await rows(
          client,
          `UPDATE divergences SET resolved_at = now(), resolution = 'accepted', resolved_by = $2,
             reason = $3 WHERE id = ANY ($1::integer[]) AND resolved_at IS NULL RETURNING id`,
          [ids, actor, reason],
        );
        const details = { divergences: ended.map(([id]) => id) };
        await auditLog.record(client, { actor, action: 'accept-divergences', reason, details });
        return ended.length;
      }),

    setBudget: (budget, { actor, reason }) =>
      act(async (client) => {
        await rows(
          client,
          `INSERT INTO divergence_budgets (collection, allowed) VALUES ($1, $2)
           ON CONFLICT (collection) DO UPDATE SET allowed = excluded.allowed`,
          [budget.collection, budget.allowed],
        );
        const details = { ...budget };
        await auditLog.record(client, { actor, action: 'set-divergence-budget', reason, details });
      }),
  };
}
