import { sentenceOf, TandemError } from '@tandem/storage/errors';
import pg from 'pg';
import type { Database } from './database-url.ts';
import { type Cell, textTable } from './text-table.ts';

const CONNECT_TIMEOUT_MS = 5_000;

/** OIDs of `pg_type` whose text is a JSON value already. */
const NUMBERS = new Set([20, 21, 23, 26, 700, 701, 1700]);
const JSON_TYPES = new Set([114, 3802]);
const BOOLEAN = 16;
const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?(e[-+]?\d+)?$/i;

/** One statement's result, every value as PostgreSQL's own text: nothing is bent on its way. */
interface Result {
  /** E.g. `INSERT`. */
  readonly command: string;
  readonly rowCount: number | null;
  readonly columns: readonly { readonly name: string; readonly type: number }[];
  readonly rows: readonly (readonly Cell[])[];
}

/**
 * Runs one or more statements, which are one transaction unless they say otherwise.
 * @throws {TandemError} `unavailable` when the server does not answer, `invalid` with its own
 *   sentence when it refuses a statement
 */
export async function runSql(database: Database, text: string): Promise<readonly Result[]> {
  const client = new pg.Client({
    connectionString: database.url,
    application_name: 'tandem sql',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    types: { getTypeParser: () => (value: string) => value } as unknown as pg.CustomTypesConfig,
  });
  client.on('error', () => {
    // A connection that ends early rejects the query itself.
  });
  try {
    await client.connect();
  } catch (cause) {
    const sentence = `${database.name} does not answer: ${sentenceOf(cause)}. ${database.remedy}`;
    throw new TandemError('unavailable', sentence, { cause });
  }
  try {
    const answer: unknown = await client.query({ text, rowMode: 'array' });
    return (Array.isArray(answer) ? answer : [answer]).map(resultOf);
  } catch (cause) {
    throw new TandemError('invalid', refusalOf(cause), { cause });
  } finally {
    await client.end();
  }
}

const resultOf = (result: pg.QueryArrayResult<(string | null)[]>): Result => ({
  command: result.command,
  rowCount: result.rowCount,
  columns: result.fields.map(({ name, dataTypeID }) => ({ name, type: dataTypeID })),
  rows: result.rows,
});

function refusalOf(error: unknown): string {
  const { hint } = error as { hint?: unknown };
  const sentence = `PostgreSQL refuses it: ${sentenceOf(error)}.`;
  return typeof hint === 'string' ? `${sentence} ${hint}` : sentence;
}

/** An aligned table, or what a statement without rows did. */
export function resultAsText({ command, rowCount, columns, rows }: Result): string {
  if (columns.length === 0) return rowCount === null ? command : `${command} ${rowCount}`;
  const table = textTable(
    columns.map(({ name, type }) => ({ name, alignRight: NUMBERS.has(type) })),
    rows,
  );
  return [...table, `(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})`].join('\n');
}

/** A JSON array with an object a row; numbers keep their digits. */
export function resultAsJson({ columns, rows }: Result): string {
  const objects = rows.map((row) => {
    const members = columns.map(
      ({ name, type }, at) => `${JSON.stringify(name)}:${jsonOf(row[at] ?? null, type)}`,
    );
    return `{${members.join(',')}}`;
  });
  return `[${objects.join(',\n ')}]`;
}

function jsonOf(value: Cell, type: number): string {
  if (value === null) return 'null';
  if (type === BOOLEAN) return value === 't' ? 'true' : 'false';
  if (JSON_TYPES.has(type) || (NUMBERS.has(type) && JSON_NUMBER.test(value))) return value;
  return JSON.stringify(value);
}
