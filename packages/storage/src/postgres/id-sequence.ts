import type { Pool, PoolClient } from 'pg';
import { ID_MAX, type IdHighWater } from '../store.ts';
import { boundsStatement, exclusive, SWITCH_LOCK } from './locks.ts';
import type { RecordTable } from './record-table.ts';
import { type Row, rows, transaction } from './transaction.ts';

// Ids come from the identity sequence of a collection's table (I9). A sequence is outside of
// transactions: it only counts up, and an id taken by a transaction that fails is never given again.
// Records that arrive from the other store, or by hand, do not move it; that it lies behind them is
// seen when ids are taken.

const sequenceOf = ({ literal }: RecordTable): string =>
  `pg_get_serial_sequence(${literal}, 'id')::regclass`;

const highestKnown = ({ collection, identifier }: RecordTable): string =>
  `greatest(0, (SELECT max(id) FROM ${identifier}),
    (SELECT max(id) FROM tombstones WHERE collection = '${collection.name.replaceAll("'", "''")}'))`;

/** The sequence gave ids that were in use: it must be raised before the write is done again. */
export class SequenceBehind extends Error {
  readonly marks: IdHighWater;

  constructor(marks: IdHighWater) {
    super('An id sequence lies behind the ids in use.');
    this.marks = marks;
  }
}

/**
 * Takes `count` ids, ascending.
 *
 * The ids in use are read as of the statement's beginning: whatever of them came from the sequence
 * was taken before, so an id taken now that is not above them shows the sequence to lie behind.
 * @throws {SequenceBehind}
 */
export async function takeIds(
  client: PoolClient,
  table: RecordTable,
  count: number,
): Promise<number[]> {
  if (count === 0) return [];
  const taken = await rows(
    client,
    `SELECT nextval(${sequenceOf(table)}), ${highestKnown(table)} FROM generate_series(1, $1::integer)`,
    [count],
  );
  const ids = taken.map(([id]) => id as number);
  const highest = (taken[0] as Row)[1] as number;
  if (Math.min(...ids) <= highest) throw new SequenceBehind({ [table.collection.name]: highest });
  return ids;
}

/** Highest id ever given or seen, of each collection. */
export async function readHighWater(
  pool: Pool,
  tables: readonly RecordTable[],
): Promise<IdHighWater> {
  const selects = tables.map(
    (table) =>
      `greatest(pg_sequence_last_value(${sequenceOf(table)}), ${highestKnown(table)})::bigint`,
  );
  if (selects.length === 0) return {};
  const [row] = await rows(pool, `SELECT ${selects.join(', ')}`);
  return Object.fromEntries(
    tables.map(({ collection }, index) => [collection.name, row?.[index] as number]),
  );
}

/**
 * Raises sequences, never lowers one: under the exclusive lock nobody takes an id between the
 * comparison and `setval`.
 */
export async function raiseHighWater(
  pool: Pool,
  tables: ReadonlyMap<string, RecordTable>,
  marks: IdHighWater,
): Promise<void> {
  const begin = [boundsStatement(), exclusive(SWITCH_LOCK)];
  await transaction(pool, begin, async (client) => {
    for (const [name, mark] of Object.entries(marks)) {
      const table = tables.get(name);
      if (table === undefined) throw new Error(`There is no collection ${name}.`);
      const sequence = sequenceOf(table);
      await rows(
        client,
        `SELECT setval(${sequence}, $1::bigint)
         WHERE $1::bigint > coalesce(pg_sequence_last_value(${sequence}), 0)`,
        [Math.min(mark, ID_MAX)],
      );
    }
  });
}
