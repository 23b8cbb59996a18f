import type { DivergenceLedger, LedgerEntry, LedgerFilter } from './divergence-ledger.ts';
import type { RepairScope } from './repair-result.ts';

/** Differences looked at and mended together. */
const BATCH_ITEMS = 500;

/** The open entries that are meant; a record that the ledger does not know is looked at all the same. */
export async function* entriesMeant(
  scope: RepairScope,
  ledger: DivergenceLedger,
): AsyncGenerator<readonly Pick<LedgerEntry, 'subject'>[]> {
  const filter: LedgerFilter =
    'runId' in scope
      ? { runId: scope.runId }
      : 'entryIds' in scope
        ? { ids: scope.entryIds }
        : { collection: scope.collection, recordId: scope.id };
  let after = 0;
  let isFirst = true;
  for (;;) {
    const page = await ledger.find({ ...filter, isOpen: true }, { limit: BATCH_ITEMS, after });
    if (page.length > 0) yield page;
    else if (isFirst && 'collection' in scope) {
      yield [{ subject: { collection: scope.collection, id: scope.id } }];
    }
    const last = page.at(-1);
    if (last === undefined || page.length < BATCH_ITEMS) return;
    after = last.id;
    isFirst = false;
  }
}
