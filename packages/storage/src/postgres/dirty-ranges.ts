import type { PgTable } from 'drizzle-orm/pg-core';
import type { Pool, PoolClient } from 'pg';
import type { Item } from '../changes/index.ts';
import { getTableName } from '../collections/drizzle.ts';
import type { Collection } from '../collections/index.ts';
import type { DirtyMarks, DirtyPart } from '../consistency/dirty-ranges.ts';
import { RANGE_IDS } from '../store.ts';
import { translated } from './failure.ts';
import { boundsStatement, DIRTY_LOCK, exclusive } from './locks.ts';
import { tombstones } from './system-tables.ts';
import { rows, transaction } from './transaction.ts';

/** Marks that may stand before they are thinned out. */
const MARKS_MAX = 20_000;
/** In place of a range: the whole collection. */
const ALL = -1;
/** Triggers that mark what a statement wrote: inserted, updated, deleted, truncated. */
const TRIGGERS_A_TABLE = 4;

// Only one may take or thin out at a time; whoever writes records never waits, it only adds rows.
const BEGIN = [boundsStatement(), exclusive(DIRTY_LOCK)];

/** The marks in PostgreSQL: of its own rows by triggers, of a JSON primary's changes by the relay. */
export function dirtyRanges(pool: Pool, collections: readonly Collection[]): DirtyMarks {
  return {
    take: (runId) =>
      translated(async () => {
        const taken = await transaction(pool, BEGIN, (client) => gather(client, runId));
        return partsOf(taken, await unwatched(pool, collections));
      }),

    done: (runId, undecided) =>
      translated(() =>
        transaction(pool, BEGIN, async (client) => {
          await rows(client, 'DELETE FROM dirty_ranges WHERE taken_by = $1', [runId]);
          const left = [...undecided].flatMap(([name, ranges]) =>
            [...ranges].map((range): Mark => [name, range]),
          );
          await add(client, left, null);
        }),
      ),
  };
}

type Mark = readonly [collection: string, range: number];

/** Puts every mark there is into the run's hand, each once. */
async function gather(client: PoolClient, runId: number | null): Promise<readonly Mark[]> {
  const gone = (await rows(
    client,
    `WITH gone AS (
       DELETE FROM dirty_ranges WHERE $1::integer IS NOT NULL OR taken_by IS NULL
       RETURNING collection, range)
     SELECT DISTINCT collection, range FROM gone`,
    [runId],
  )) as readonly Mark[];
  await add(client, gone, runId);
  return gone;
}

async function add(
  client: Pick<PoolClient, 'query'>,
  marks: readonly Mark[],
  takenBy: number | null,
): Promise<void> {
  if (marks.length === 0) return;
  await rows(
    client,
    `INSERT INTO dirty_ranges (collection, range, taken_by)
     SELECT collection, range, $3 FROM unnest($1::text[], $2::bigint[]) AS m(collection, range)`,
    [marks.map(([collection]) => collection), marks.map(([, range]) => range), takenBy],
  );
}

/** Marks what items change, in the transaction that puts them into the queue. */
export async function markDirty(
  client: Pick<PoolClient, 'query'>,
  items: readonly Item[],
): Promise<void> {
  const marks = new Map<string, Mark>();
  for (const item of items) {
    if (item.kind !== 'change') continue;
    const { collection, id } = item.change;
    const range = Math.floor(id / RANGE_IDS);
    marks.set(`${collection} ${range}`, [collection, range]);
  }
  await add(client, [...marks.values()], null);
}

/**
 * Leaves one mark of each range: they are added by every statement and, where nothing verifies, taken by
 * nobody.
 * @throws {TandemError} `unavailable`, `storage-failed`
 */
export const thinOutDirtyRanges = (pool: Pool): Promise<void> =>
  translated(async () => {
    const [row] = await rows(
      pool,
      `SELECT count(*) FROM (SELECT FROM dirty_ranges LIMIT ${MARKS_MAX + 1}) AS marks`,
    );
    if ((row?.[0] as number) > MARKS_MAX)
      await transaction(pool, BEGIN, (client) => gather(client, null));
  });

/**
 * Marks that a condition holds of, whoever has them in hand. A table without its triggers is marked whole.
 * @param condition of a row of `dirty_ranges`
 */
export async function markedSince(
  pool: Pool,
  collections: readonly Collection[],
  condition: string,
  values: readonly unknown[],
): Promise<ReadonlyMap<string, DirtyPart>> {
  const marks = (await rows(
    pool,
    `SELECT DISTINCT collection, range FROM dirty_ranges WHERE ${condition}`,
    values,
  )) as readonly Mark[];
  return partsOf(marks, await unwatched(pool, collections));
}

function partsOf(marks: readonly Mark[], whole: readonly string[]): Map<string, DirtyPart> {
  const parts = new Map<string, DirtyPart>();
  for (const [name, ranges] of Map.groupBy(marks, ([collection]) => collection)) {
    const isAll = ranges.some(([, range]) => range === ALL);
    parts.set(name, isAll ? 'all' : new Set(ranges.map(([, range]) => range)));
  }
  for (const name of whole) parts.set(name, 'all');
  return parts;
}

/** Collections of whose table, or of the tombstones', a trigger is missing or switched off: nothing tells
 *  what changed there. */
async function unwatched(
  pool: Pool,
  collections: readonly Collection[],
): Promise<readonly string[]> {
  const found = await rows(
    pool,
    `SELECT relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
     WHERE tgname LIKE '%\\_mark\\_%' AND tgenabled IN ('O', 'A') AND pg_table_is_visible(tgrelid)`,
  );
  const counts = Map.groupBy(found, ([table]) => table);
  const isWatched = (table: PgTable): boolean =>
    (counts.get(getTableName(table))?.length ?? 0) >= TRIGGERS_A_TABLE;
  return collections
    .filter(({ table }) => !isWatched(table) || !isWatched(tombstones))
    .map(({ name }) => name);
}
