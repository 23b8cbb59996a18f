import type { Collection } from '../collections/index.ts';
import {
  assertFewIds,
  type Page,
  type PagePosition,
  type ScanEntry,
  type StoredRecord,
} from '../store.ts';
import { readInChunks } from './cursor.ts';
import { storageError, translated } from './failure.ts';
import { fencedFirst, fencedRow, fencedRows, passFence, placeIn } from './fenced-reads.ts';
import type { Limiter } from './limiter.ts';
import { isStorableId, quoted, recordOfRow } from './record-table.ts';
import { type ReadContext, tableOf } from './store-context.ts';
import { type Row, rows } from './transaction.ts';

/** Records of a list held in memory at once. */
const LIST_CHUNK_RECORDS = 2_000;
/** A client that does not take the next chunk of a list for this long has lost it; and a list holds
 *  its snapshot, and with it dead rows of the whole database, at most so long. */
const CURSOR_BOUNDS = {
  chunkRows: LIST_CHUNK_RECORDS,
  idleMs: 30_000,
  transactionMs: 5 * 60_000,
};

/** Newest first: the index on (date, id) read backwards. */
const orderOf = ({ dateField }: Collection): string => `${quoted(dateField)} DESC, id DESC`;

export async function getRecord(
  context: ReadContext,
  collection: Collection,
  id: number,
): Promise<StoredRecord | undefined> {
  if (!isStorableId(id)) return undefined;
  const table = tableOf(context, collection);
  const select = `SELECT ${table.columns} FROM ${table.identifier} WHERE id = $1`;
  const row = await translated(fencedRow(context, select, [id]));
  return row === undefined ? undefined : recordOfRow(row);
}

/**
 * One page of the list, found by its position.
 * @throws {TandemError} `invalid` when the position's date is none
 */
export async function readPage(
  context: ReadContext,
  collection: Collection,
  { limit, after }: { readonly limit: number; readonly after?: PagePosition },
): Promise<Page> {
  // Only records that no table of ours can hold have the empty date, and it sorts last.
  if (after?.date === '') {
    await translated(passFence(context));
    return { records: [] };
  }
  const table = tableOf(context, collection);
  const date = quoted(collection.dateField);
  const where = after === undefined ? '' : `WHERE (${date}, id) < ($2::date, $3::bigint)`;
  const order = orderOf(collection);
  const select = `SELECT ${table.columns}, ${placeIn(order)}, to_char(${date}, 'YYYY-MM-DD')
    FROM ${table.identifier} ${where} ORDER BY ${order} LIMIT $1`;
  const values = after === undefined ? [limit + 1] : [limit + 1, after.date, after.id];
  const found = await translated(fencedRows(context, select, values));
  const shown = found.slice(0, limit);
  const records = shown.map((row) => recordOfRow(row));
  const last = records.at(-1);
  if (found.length <= limit || last === undefined) return { records };
  return { records, next: { date: shown.at(-1)?.at(-1) as string, id: last.id } };
}

/** Records and tombstones by ascending id, as of one moment. */
export function scanEntries(
  context: ReadContext,
  collection: Collection,
  afterId: number,
  limit: number,
): Promise<readonly ScanEntry[]> {
  return readEntries(context, collection, 'id > $2::bigint ORDER BY id LIMIT $3', [afterId, limit]);
}

/** How many records and tombstones there are; reads an index of each. */
export async function countEntries(context: ReadContext, collection: Collection): Promise<number> {
  const { identifier } = tableOf(context, collection);
  const [row] = await ask(
    context,
    `SELECT (SELECT count(*) FROM ${identifier})
       + (SELECT count(*) FROM tombstones WHERE collection = $1)`,
    [collection.name],
  );
  return row?.[0] as number;
}

/** Records and tombstones of these ids by ascending id, as of one moment. */
export async function entriesOf(
  context: ReadContext,
  collection: Collection,
  ids: readonly number[],
): Promise<readonly ScanEntry[]> {
  assertFewIds(ids);
  const storable = ids.filter(isStorableId);
  if (storable.length === 0) return [];
  return readEntries(context, collection, 'id = ANY($2::integer[])', [storable]);
}

/** @param where of both tables; its values begin at $2, and one that limits them is $3 */
async function readEntries(
  context: ReadContext,
  collection: Collection,
  where: string,
  [from, limit]: readonly [from: unknown, limit?: number],
): Promise<readonly ScanEntry[]> {
  const table = tableOf(context, collection);
  // One more: of two rows of one id the page has both, and sees it.
  const values = limit === undefined ? [from] : [from, limit + 1];
  const read = (buried: string) =>
    ask(
      context,
      `(SELECT true AS live, ${table.columns} FROM ${table.identifier} WHERE ${where})
       UNION ALL
       (SELECT false, id, epoch, version, NULL, NULL FROM tombstones
        WHERE collection = $1 ${buried} AND ${where})
       ORDER BY id ${limit === undefined ? '' : 'LIMIT $3'}`,
      [collection.name, ...values],
    );
  let found = await read('');
  // A record typed in beside its tombstone counts: it is what clients are given. Asked for only where
  // there is one, because no plan of it is good for every page.
  if (found.some((row, index) => row[1] === found[index - 1]?.[1])) {
    found = await read(
      `AND NOT EXISTS (SELECT FROM ${table.identifier} AS l WHERE l.id = tombstones.id)`,
    );
  }
  return found.slice(0, limit).map(([live, ...row]) => {
    if (live === true) return recordOfRow(row);
    const [id, epoch, version] = row as [number, number, number];
    return { id, epoch, version, text: null };
  });
}

/**
 * The whole list as of one moment, in chunks of texts. What fits one chunk is one statement; more is
 * read through a cursor in a transaction of its own, which `cursors` keeps few: each holds a
 * connection for as long as its reader takes.
 */
export async function* listTexts(
  context: ReadContext,
  collection: Collection,
  cursors: Limiter,
): AsyncGenerator<readonly string[]> {
  const table = tableOf(context, collection);
  const order = orderOf(collection);
  const select = (more = '') =>
    `SELECT ${table.columns}${more} FROM ${table.identifier} ORDER BY ${order}`;
  const texts = (found: readonly Row[]) => found.map((row) => recordOfRow(row).text);
  const head = `${select(`, ${placeIn(order)}`)} LIMIT ${LIST_CHUNK_RECORDS + 1}`;
  const few = await translated(fencedRows(context, head, []));
  if (few.length <= LIST_CHUNK_RECORDS) {
    if (few.length > 0) yield texts(few);
    return;
  }
  const leave = await cursors.enter();
  try {
    const first = context.fence === undefined ? {} : { first: fencedFirst(context.fence) };
    const bounds = { ...CURSOR_BOUNDS, ...first };
    for await (const found of readInChunks(context.pool, select(), bounds)) yield texts(found);
  } catch (error) {
    throw storageError(error);
  } finally {
    leave();
  }
}

/** One statement outside of a transaction; a value of the caller's that is none is `invalid`. */
const ask = (
  { pool }: ReadContext,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> => translated(rows(pool, text, values));
