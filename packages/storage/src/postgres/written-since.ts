// Which rows are young is told by their `xmin`, the transaction that wrote them; which ranges to look
// through for them, by the marks that the same transactions left (`dirty-ranges.ts`).
import type { Collection } from '../collections/index.ts';
import type { WrittenSince } from '../phase/index.ts';
import { RANGE_IDS } from '../store.ts';
import { markedSince } from './dirty-ranges.ts';
import { storageError } from './failure.ts';
import { type StoreContext, tableOf } from './store-context.ts';
import { rows } from './transaction.ts';

/** Clocks of processes and server may differ by so much: a key's instant is its writer's. */
const CLOCKS_APART_SECONDS = 300;

// The oldest transaction that may still commit: everything below it can be read now.
const POSITION = `SELECT pg_snapshot_xmin(pg_current_snapshot())::xid::text || ' ' ||
  extract(epoch FROM now() - ${CLOCKS_APART_SECONDS} * interval '1 second')`;

/** `age` counts transactions back from now. A row so old that this wraps around is young, too: one
 *  compared in vain. */
const isYoung = (row: string, xid: string): string => `age(${row}.xmin) <= age(${xid}::text::xid)`;

const KEYS = `SELECT key FROM idempotency_keys AS k
  WHERE at >= to_timestamp($2::float8) AND ${isYoung('k', '$1')}`;

/** The port over this store's tables. */
export function writtenSince(
  context: StoreContext,
  collections: readonly Collection[],
): WrittenSince {
  const { pool } = context;
  return {
    async position() {
      try {
        const [row] = await rows(pool, POSITION);
        return row?.[0] as string;
      } catch (error) {
        throw storageError(error);
      }
    },

    async since(position) {
      const [xid, at] = position.split(' ');
      try {
        const marked = await markedSince(pool, collections, isYoung('dirty_ranges', '$1'), [xid]);
        const ids = new Map<string, readonly number[]>();
        for (const collection of collections) {
          const ranges = marked.get(collection.name) ?? new Set();
          const text = statement(tableOf(context, collection).identifier, ranges === 'all');
          const values = [xid, collection.name, ranges === 'all' ? null : [...ranges]];
          ids.set(
            collection.name,
            (await rows(pool, text, values)).map(([id]) => id as number),
          );
        }
        const keys = (await rows(pool, KEYS, [xid, at])).map(([key]) => key as string);
        return { ids, keys };
      } catch (error) {
        throw storageError(error);
      }
    },
  };
}

const statement = (table: string, isWhole: boolean): string => {
  const within = (row: string): string =>
    isWhole
      ? `$3::bigint[] IS NULL`
      : `${row}.id >= r.range * ${RANGE_IDS} AND ${row}.id < (r.range + 1) * ${RANGE_IDS}`;
  const ranges = isWhole ? '(VALUES (0)) AS r(range)' : 'unnest($3::bigint[]) AS r(range)';
  return `
    SELECT e.id FROM ${ranges} JOIN ${table} AS e ON ${within('e')} WHERE ${isYoung('e', '$1')}
    UNION ALL
    SELECT t.id FROM ${ranges} JOIN tombstones AS t ON ${within('t')}
    WHERE t.collection = $2 AND ${isYoung('t', '$1')}`;
};
