import type { PoolClient } from 'pg';
import type { StoredState } from '../changes/index.ts';
import type { StoredRecord } from '../store.ts';
import { copyRows } from './copy-rows.ts';
import { jsonOfRow, type RecordTable, rowOfText, type StorableRow } from './record-table.ts';
import { rows } from './transaction.ts';

/** From so many rows on COPY is faster than one INSERT. */
const COPY_ROWS_MIN = 64;

/** A state to store: a live record, or a tombstone (`text` is `null`). */
export interface NextState extends StoredState {
  readonly id: number;
  /** ISO instant of the change. */
  readonly at: string;
  /** The row of `text`, where it was made already. */
  readonly row?: StorableRow;
}

/** Reads the live records of some ids and locks them, in id order so that no two deadlock. */
export async function lockRecords(
  client: PoolClient,
  table: RecordTable,
  ids: readonly number[],
): Promise<readonly (readonly unknown[])[]> {
  if (ids.length === 0) return [];
  return rows(
    client,
    `SELECT ${table.columns} FROM ${table.identifier} WHERE id = ANY($1::integer[])
     ORDER BY id FOR UPDATE`,
    [idArray(ids)],
  );
}

/** An array as PostgreSQL spells it; the driver's own way costs more than the query. */
const idArray = (ids: readonly number[]): string => `{${ids.join(',')}}`;

/** The tombstones of some ids. Asked after `lockRecords`: a record whose deletion it waited for has
 *  its tombstone by then. */
export async function readTombstones(
  client: PoolClient,
  table: RecordTable,
  ids: readonly number[],
): Promise<ReadonlyMap<number, StoredState>> {
  if (ids.length === 0) return new Map();
  const found = await rows(
    client,
    'SELECT id, epoch, version FROM tombstones WHERE collection = $1 AND id = ANY($2::integer[])',
    [table.collection.name, idArray(ids)],
  );
  return new Map(
    (found as [number, number, number][]).map(([id, epoch, version]) => [
      id,
      { epoch, version, text: null },
    ]),
  );
}

/** Which of the touched ids have a row, and which a tombstone, before the write. */
export interface Before {
  readonly live: { has(id: number): boolean };
  readonly buried: { has(id: number): boolean };
}

/**
 * Stores the final states of one collection in bulk: one statement for each kind of change, however
 * many records. The caller holds the locks of the rows.
 * @throws {DatabaseError} also when a row to insert is there already: nothing is overwritten unseen
 */
export async function writeStates(
  client: PoolClient,
  table: RecordTable,
  states: Iterable<NextState>,
  before: Before,
): Promise<void> {
  const inserts: StorableRow[] = [];
  const updates: StorableRow[] = [];
  const deaths: NextState[] = [];
  const revived: number[] = [];
  for (const state of states) {
    if (state.text === null) {
      deaths.push(state);
      continue;
    }
    const row = state.row ?? rowOfText(table, state as StoredRecord);
    if ('reason' in row) throw new Error(`${row.reason}.`);
    (before.live.has(state.id) ? updates : inserts).push(row);
    if (before.buried.has(state.id)) revived.push(state.id);
  }
  if (inserts.length > 0) await insertRows(client, table, inserts);
  if (updates.length > 0) await updateRows(client, table, updates);
  if (deaths.length > 0) await bury(client, table, deaths);
  if (revived.length > 0) {
    await rows(client, 'DELETE FROM tombstones WHERE collection = $1 AND id = ANY($2::integer[])', [
      table.collection.name,
      revived,
    ]);
  }
}

async function insertRows(
  client: PoolClient,
  table: RecordTable,
  given: readonly StorableRow[],
): Promise<void> {
  const { names } = table;
  if (given.length >= COPY_ROWS_MIN) {
    await copyRows(client, `${table.identifier} (${names.join(', ')})`, given);
    return;
  }
  await rows(
    client,
    `INSERT INTO ${table.identifier} (${names.join(', ')})
     SELECT ${names.map((name) => `r.${name}`).join(', ')} FROM ${table.given}`,
    [jsonArray(table, given)],
  );
}

const jsonArray = (table: RecordTable, given: readonly StorableRow[]): string =>
  `[${given.map((row) => jsonOfRow(table, row)).join(',')}]`;

async function updateRows(
  client: PoolClient,
  table: RecordTable,
  given: readonly StorableRow[],
): Promise<void> {
  const changed = await rows(
    client,
    `UPDATE ${table.identifier} AS t SET ${table.setNames.map((name) => `${name} = r.${name}`).join(', ')}
     FROM ${table.given} WHERE t.id = r.id RETURNING 1`,
    [jsonArray(table, given)],
  );
  if (changed.length !== given.length) throw new Error('A locked row was not there to be updated.');
}

/** Deletes the rows, where there are any, and leaves tombstones. */
async function bury(
  client: PoolClient,
  table: RecordTable,
  deaths: readonly NextState[],
): Promise<void> {
  await rows(
    client,
    `WITH given AS (
       SELECT * FROM json_to_recordset($2::json)
         AS r(id integer, epoch bigint, version bigint, at timestamptz)
     ), gone AS (DELETE FROM ${table.identifier} t USING given WHERE t.id = given.id)
     INSERT INTO tombstones (collection, id, epoch, version, at)
     SELECT $1, id, epoch, version, at FROM given
     ON CONFLICT (collection, id)
     DO UPDATE SET epoch = excluded.epoch, version = excluded.version, at = excluded.at`,
    [
      table.collection.name,
      JSON.stringify(deaths.map(({ id, epoch, version, at }) => ({ id, epoch, version, at }))),
    ],
  );
}
