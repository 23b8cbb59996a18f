//   BEGIN; bounds; shared switch lock; phase row ─> row locks ─> tombstones
//        ─> plan each difference ─> records, tombstones ─> jobs ─> COMMIT
import {
  type Change,
  type EditAdopter,
  type LeftDifferences,
  planDifference,
  type RecordDifference,
} from '../changes/index.ts';
import { translated } from './failure.ts';
import { raiseHighWater, readHighWater, takeIds } from './id-sequence.ts';
import { withRetries } from './isolation.ts';
import { boundsStatement, SWITCH_LOCK, shared } from './locks.ts';
import { phaseOfRow, READ_PHASE } from './phase-row.ts';
import { lockRecords, readTombstones, writeStates } from './record-states.ts';
import { isStorableId, type RecordTable, recordOfRow, rowOfText } from './record-table.ts';
import { type StoreContext, tableOf } from './store-context.ts';
import { transaction } from './transaction.ts';
import { requirePrimary } from './write-batch.ts';

/** Differences in one transaction. */
const DIFFERENCES_MAX = 500;

const BEGIN = [boundsStatement(), shared(SWITCH_LOCK), READ_PHASE];

/** PostgreSQL as the primary that adopts edits of the JSON files. */
export function postgresAdopter(context: StoreContext): EditAdopter {
  return {
    takeIds: (collection, count, above) =>
      translated(withRetries(() => takeIdsAbove(context, collection, count, above))),
    async adoptDifferences(collection, differences) {
      const conflicting: number[] = [];
      const unfit: number[] = [];
      for (let from = 0; from < differences.length; from += DIFFERENCES_MAX) {
        const some = differences.slice(from, from + DIFFERENCES_MAX);
        const left = await translated(withRetries(() => adopt(context, collection, some)));
        conflicting.push(...left.conflicting);
        unfit.push(...left.unfit);
      }
      return { conflicting, unfit };
    },
  };
}

async function takeIdsAbove(
  context: StoreContext,
  collection: string,
  count: number,
  above: number,
): Promise<readonly number[]> {
  const { pool, tables } = context;
  const table = tableOf(context, { name: collection });
  const known = (await readHighWater(pool, [table]))[collection] ?? 0;
  await raiseHighWater(pool, tables, { [collection]: Math.max(above, known) });
  return transaction(pool, BEGIN, (client, begun) => {
    requirePrimary(phaseOfRow(begun.at(-1)?.[0]));
    return takeIds(client, table, count);
  });
}

function adopt(
  context: StoreContext,
  collection: string,
  differences: readonly RecordDifference[],
): Promise<LeftDifferences> {
  const table = tableOf(context, { name: collection });
  return transaction(context.pool, BEGIN, async (client, begun) => {
    const phase = phaseOfRow(begun.at(-1)?.[0]);
    requirePrimary(phase);
    const ids = differences.map(({ id }) => id).filter(isStorableId);
    const records = (await lockRecords(client, table, ids)).map(recordOfRow);
    const live = new Map(records.map((record) => [record.id, record]));
    const buried = await readTombstones(client, table, ids);
    const step = { epoch: phase.epoch, at: context.now().toISOString() };
    const changes: Change[] = [];
    const conflicting: number[] = [];
    const unfit: number[] = [];
    for (const difference of differences) {
      const { id } = difference;
      const current = live.get(id) ?? buried.get(id);
      const planned = planDifference(collection, difference, current, step);
      if (planned === 'conflict') conflicting.push(id);
      if (typeof planned === 'string') continue;
      if (fits(table, planned)) changes.push(planned);
      else unfit.push(id);
    }
    const states = changes.map((change) => ({ ...change, text: change.record }));
    await writeStates(client, table, states, { live, buried });
    if (phase.phase === 'postgres-primary' && changes.length > 0) {
      const items = changes.map((change) => ({ kind: 'change', change }) as const);
      await context.jobs.insert(client, items);
    }
    return { conflicting, unfit };
  });
}

function fits(table: RecordTable, { id, epoch, version, record }: Change): boolean {
  if (!isStorableId(id)) return false;
  return record === null || !('reason' in rowOfText(table, { id, epoch, version, text: record }));
}
