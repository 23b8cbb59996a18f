import type { Configuration } from '@tandem/storage/configuration';
import type { LedgerEntry } from '@tandem/storage/consistency';
import { TandemError } from '@tandem/storage/errors';
import { divergenceLedger, ledgerOperations } from '@tandem/storage/postgres';
import { withDatabase } from './opened-database.ts';
import { operatorName } from './operator.ts';

/** @throws {TandemError} `not-found` */
export async function readDivergence(
  configuration: Configuration,
  id: number,
): Promise<LedgerEntry> {
  const [entry] = await withDatabase(configuration, 'divergences', (pool) =>
    divergenceLedger(pool).find({ ids: [id] }, { limit: 1 }),
  );
  if (entry === undefined) throw new TandemError('not-found', `There is no divergence ${id}.`);
  return entry;
}

/** Ends entries without a change of the stores. @returns how many were open */
export const acceptDivergences = (
  configuration: Configuration,
  ids: readonly number[],
  reason: string,
): Promise<number> =>
  withDatabase(configuration, 'divergences', (pool) =>
    ledgerOperations(pool).accept(ids, { actor: operatorName(), reason }),
  );

/** Sets how many open entries of a collection keep no gate closed. */
export const setBudget = (
  configuration: Configuration,
  budget: { readonly collection: string; readonly allowed: number },
  reason: string,
): Promise<void> =>
  withDatabase(configuration, 'divergences', (pool) =>
    ledgerOperations(pool).setBudget(budget, { actor: operatorName(), reason }),
  );
