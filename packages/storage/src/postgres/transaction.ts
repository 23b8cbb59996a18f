//   connect ─> begin ─> work ─> COMMIT ─> done
//      │         │        │        ├─ refused by the server ──────────> the server's error
//      │         │        │        └─ no answer ─> outcome-unknown (I10)
//      └─────────┴────────┴─ error ─> ROLLBACK, or the connection is dropped ─> the error
import type pg from 'pg';
import type { Pool, PoolClient } from 'pg';
import { isTandemError, sentenceOf, TandemError } from '../errors.ts';
import { isConnectionError, sqlStateOf } from './failure.ts';
import { exactTypes } from './pool.ts';

/** A row as the values of its columns, in the order selected. */
export type Row = readonly unknown[];

/** Runs one statement, with exact types, on a client or a pool. */
export async function rows(
  client: Pick<PoolClient, 'query'>,
  text: string,
  values: readonly unknown[] = [],
): Promise<readonly Row[]> {
  const result = await client.query({
    text,
    values: [...values],
    rowMode: 'array',
    types: exactTypes,
  });
  return result.rows;
}

/** Runs several statements without parameters in one round trip; the rows of each. */
export async function script(
  client: Pick<PoolClient, 'query'>,
  statements: readonly string[],
): Promise<readonly (readonly Row[])[]> {
  const query = { text: statements.join(';\n'), rowMode: 'array' as const, types: exactTypes };
  const results: unknown = await client.query(query);
  const all = (Array.isArray(results) ? results : [results]) as pg.QueryArrayResult[];
  return all.map((result) => result.rows);
}

/** The transaction could not be told whether it committed. */
const outcomeUnknown = (cause: unknown): TandemError =>
  new TandemError(
    'outcome-unknown',
    `The connection to PostgreSQL was lost during COMMIT; whether it took effect is not known: ${sentenceOf(cause)}.`,
    { cause },
  );

/**
 * Said, because a server, database or role may be set to another level. In one whose snapshot stands from
 * its first statement on, a phase row read after waiting for its lock would be that of before (I3).
 */
const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED';

/** SQLSTATE classes with which a server refuses a COMMIT, the transaction being rolled back. Any
 *  other error there, e.g. 57P01 (shutdown), may have come after the commit itself. */
const REFUSED_COMMIT = /^(22|23|40)/;

/**
 * Runs `work` in a READ COMMITTED transaction: `begin` are its first statements, sent in one round trip,
 * whose rows `work` is given. The database's errors come as they are; see `storageError`.
 * @throws {TandemError} `outcome-unknown` when nothing is known of the COMMIT
 */
export async function transaction<T>(
  pool: Pool,
  begin: readonly string[],
  work: (client: PoolClient, begun: readonly (readonly Row[])[]) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  const ignore = () => {}; // The statement under way, or the next one, rejects with the same.
  client.on('error', ignore);
  let drop = true;
  try {
    const result = await attempt(client, begin, work);
    drop = false;
    return result;
  } catch (error) {
    drop = !(await rolledBack(client, error));
    throw error;
  } finally {
    client.removeListener('error', ignore);
    client.release(drop);
  }
}

async function attempt<T>(
  client: PoolClient,
  begin: readonly string[],
  work: (client: PoolClient, begun: readonly (readonly Row[])[]) => Promise<T>,
): Promise<T> {
  const [, ...begun] = await script(client, [BEGIN, ...begin]);
  const result = await work(client, begun);
  await commit(client);
  return result;
}

async function commit(client: PoolClient): Promise<void> {
  let result: pg.QueryResult;
  try {
    result = await client.query('COMMIT');
  } catch (error) {
    throw REFUSED_COMMIT.test(sqlStateOf(error) ?? '') ? error : outcomeUnknown(error);
  }
  // A transaction that failed before and was sent COMMIT all the same answers ROLLBACK.
  if (result.command !== 'COMMIT') throw new Error('A failed transaction was committed.');
}

/** False when the connection can't be used again. */
async function rolledBack(client: PoolClient, error: unknown): Promise<boolean> {
  if (isConnectionError(error) || isTandemError(error, 'outcome-unknown')) return false;
  try {
    await client.query('ROLLBACK');
    return true;
  } catch {
    return false; // The first error says more than this one; the server rolls back by itself.
  }
}
