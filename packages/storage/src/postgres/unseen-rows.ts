import type { Pool } from 'pg';
import { getTableName } from '../collections/drizzle.ts';
import type { Collection } from '../collections/index.ts';
import { storageError } from './failure.ts';
import { quoted } from './record-table.ts';
import { rows } from './transaction.ts';

/** Ids that are named; more are only counted. */
const NAMED_MAX = 5;

/**
 * Rows that no client, catch-up or comparison sees, because their ids are not positive. They can't come in
 * any more; those from before the constraint are for a person to mend. One sentence a table that has some.
 * @throws {TandemError} `unavailable`, `storage-failed`
 */
export async function describeUnseenRows(
  pool: Pool,
  collections: readonly Collection[],
): Promise<readonly string[]> {
  const sentences: string[] = [];
  for (const { table } of collections) {
    const name = getTableName(table);
    try {
      const [row] = await rows(
        pool,
        `SELECT count(*), array_agg(id ORDER BY id DESC) FROM ${quoted(name)} WHERE id <= 0`,
      );
      const [count, ids] = row as [number, number[] | null];
      if (count === 0) continue;
      const named = (ids ?? []).slice(0, NAMED_MAX).join(', ');
      const more = count > NAMED_MAX ? ` and ${count - NAMED_MAX} more` : '';
      sentences.push(
        `The table ${name} has rows that nobody sees, because their ids are not positive: ${named}${more}. Give them ids above the highest, or delete them, in psql.`,
      );
    } catch (error) {
      throw storageError(error);
    }
  }
  return sentences;
}
