import type { Collection } from '../collections/index.ts';
import { RANGE_IDS, type RangeDigest } from '../store.ts';
import { storageError } from './failure.ts';
import type { RecordTable } from './record-table.ts';
import { type StoreContext, tableOf } from './store-context.ts';
import { rows } from './transaction.ts';

/**
 * Digests of ranges as `range-digest.ts` makes them, computed by the server. `extra` that was typed with
 * spaces has another digest than its canonical text: whoever compares looks at the records then.
 */
export async function readDigests(
  context: StoreContext,
  collection: Collection,
  from: number,
  to: number,
): Promise<readonly RangeDigest[]> {
  const ids = [from * RANGE_IDS, to * RANGE_IDS];
  try {
    const found = await rows(context.pool, statement(tableOf(context, collection)), [
      ...[collection.name, ...ids],
    ]);
    return found.map(([range, count, digest]) => ({ range, count, digest }) as RangeDigest);
  } catch (error) {
    throw storageError(error);
  }
}

const statement = (table: RecordTable): string => `
  SELECT range, count(*)::integer, md5(string_agg(line, E'\\n' ORDER BY id)) FROM (
    SELECT id, id / ${RANGE_IDS} AS range,
      id || ' ' || epoch || '-' || version || ' ' || ${table.text} AS line
    FROM ${table.identifier} WHERE id >= $2::bigint AND id < $3::bigint
    UNION ALL
    SELECT id, id / ${RANGE_IDS}, id || ' ' || epoch || '-' || version FROM tombstones
    WHERE collection = $1 AND id >= $2::bigint AND id < $3::bigint
  ) AS lines GROUP BY range ORDER BY range`;
