import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';

/** Calls the API as any client would. */
export async function call(
  origin: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: unknown }> {
  const answer = await fetch(`${origin}${path}`, {
    method,
    ...(body === undefined
      ? {}
      : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  });
  return { status: answer.status, body: await answer.json() };
}

/** Runs one query on a connection of its own. */
export async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}

/** The array in a JSON store's file, e.g. `expenses.json`. */
export const legacyFile = (jsonDir: string, file: string): Record<string, unknown>[] =>
  JSON.parse(readFileSync(join(jsonDir, file), 'utf8'));

/** Fields as both sides spell them, for comparing the rows of a table with a legacy file. */
export const EXPENSE_ROWS = `
  SELECT id, to_char(date, 'YYYY-MM-DD') AS date, category, amount::float8 AS amount, account,
         business, currency, notes
  FROM expenses ORDER BY id`;
