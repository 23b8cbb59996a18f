import type { Pool } from 'pg';
import type { Item } from '../changes/index.ts';
import { TandemError } from '../errors.ts';
import type { StoreName } from '../phase/index.ts';
import { QUEUE_SCHEMA } from './boss.ts';
import {
  conditionOf,
  type DeadLetterFilter,
  DIRECTIONS,
  directionOf,
  LIVE,
  NO_FINGERPRINT,
  NOT_ENDED,
} from './dead-letter-filter.ts';
import { type JobAttempt, readPastFailures } from './job-failure.ts';
import { readJobData } from './job-payload.ts';

const TABLE = `${QUEUE_SCHEMA}.job`;
const PAGE_LETTERS = 100;
export const PAGE_LETTERS_MAX = 1_000;

/** A secondary-write job that failed for good. */
export interface DeadLetter {
  readonly jobId: string;
  /** The store it should have reached. */
  readonly direction: StoreName;
  /** `undefined` when the job carried no change at all. */
  readonly item: Item | undefined;
  /** `rejected`, `conflict`, `fork`, `malformed`, `unknown-collection`, `defect`. */
  readonly cause: string;
  readonly error: string;
  /** Names the kind of failure; `unknown` for what no worker of ours failed. */
  readonly fingerprint: string;
  readonly failures: number;
  /** Every attempt's error, oldest first; the first and the latest of many. */
  readonly attempts: readonly JobAttempt[];
  /** How often it was put back into its queue before. */
  readonly redriven: number;
  /** ISO instant since when it is dead. */
  readonly since: string;
}

export interface DeadLetterPage {
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

export interface DeadLetterList {
  readonly letters: readonly DeadLetter[];
  /** How many there are in all. */
  readonly total: number;
  /** Gives the page after this one; `null` on the last. */
  readonly next: string | null;
}

/** An instant with the microseconds that PostgreSQL keeps. */
const MICROSECONDS = `to_char(created_on AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

const COLUMNS = `id, name, data::text AS data, source_output::text AS failure, ${MICROSECONDS} AS since`;

interface LetterRow {
  readonly id: string;
  readonly name: string;
  readonly data: string;
  readonly failure: string | null;
  readonly since: string;
}

/**
 * One page of the dead letters that match a filter, newest first, found by its position (pg-boss's
 * index on name and creation).
 * @throws {TandemError} `invalid` when an id or the cursor is none
 */
export async function pageDeadLetters(
  pool: Pick<Pool, 'query'>,
  filter: DeadLetterFilter,
  { limit = PAGE_LETTERS, cursor }: DeadLetterPage = {},
): Promise<DeadLetterList> {
  const after = cursor === undefined ? undefined : readCursor(cursor);
  const found: LetterRow[] = [];
  for (const direction of DIRECTIONS) {
    found.push(...(await rowsOf(pool, filter, direction, limit + 1, after)));
  }
  found.sort((a, b) => (a.since === b.since ? order(b.id, a.id) : order(b.since, a.since)));
  const shown = found.slice(0, limit);
  const last = shown.at(-1);
  return {
    letters: shown.map(letterOf),
    total: await countDeadLetters(pool, filter),
    next: found.length > limit && last !== undefined ? cursorOf(last) : null,
  };
}

const order = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

async function rowsOf(
  pool: Pick<Pool, 'query'>,
  filter: DeadLetterFilter,
  direction: StoreName,
  limit: number,
  after: Position | undefined,
): Promise<readonly LetterRow[]> {
  const condition = conditionOf(filter, direction);
  if (condition === undefined) return [];
  const { text, values } = condition;
  const free = values.length;
  const beyond =
    after === undefined
      ? ''
      : `AND (created_on, id) < ($${free + 2}::timestamptz, $${free + 3}::uuid)`;
  const { rows } = await pool.query<LetterRow>(
    `SELECT ${COLUMNS} FROM ${TABLE} WHERE ${text} AND ${NOT_ENDED} ${beyond}
     ORDER BY created_on DESC, id DESC LIMIT $${free + 1}`,
    [...values, limit, ...(after === undefined ? [] : [after.since, after.id])],
  );
  return rows;
}

/** How many dead letters match a filter. @throws {TandemError} `invalid` */
export async function countDeadLetters(
  pool: Pick<Pool, 'query'>,
  filter: DeadLetterFilter,
): Promise<number> {
  let total = 0;
  for (const direction of DIRECTIONS) {
    const condition = conditionOf(filter, direction);
    if (condition === undefined) continue;
    const { rows } = await pool.query<{ letters: number }>(
      `SELECT count(*)::int AS letters FROM ${TABLE} WHERE ${condition.text} AND ${LIVE}`,
      [...condition.values],
    );
    total += rows[0]?.letters ?? 0;
  }
  return total;
}

/** Dead letters of a direction by ascending id, above one of them: for going through all of them. */
export async function listDeadLetters(
  pool: Pick<Pool, 'query'>,
  direction: StoreName,
  { limit = PAGE_LETTERS_MAX, after }: { readonly limit?: number; readonly after?: string } = {},
): Promise<readonly DeadLetter[]> {
  const condition = conditionOf({ direction }, direction);
  if (condition === undefined) return [];
  const { rows } = await pool.query<LetterRow>(
    `SELECT ${COLUMNS} FROM ${TABLE}
     WHERE ${condition.text} AND ${NOT_ENDED} AND ($3::uuid IS NULL OR id > $3::uuid) ORDER BY id LIMIT $2`,
    [...condition.values, limit, after ?? null],
  );
  return rows.map(letterOf);
}

/** The letters of these ids that are still there. @throws {TandemError} `invalid` when one is no id */
export async function lettersById(
  pool: Pick<Pool, 'query'>,
  jobIds: readonly string[],
): Promise<ReadonlyMap<string, DeadLetter>> {
  const found = new Map<string, DeadLetter>();
  for (const direction of DIRECTIONS) {
    const rows = await rowsOf(pool, { jobIds }, direction, jobIds.length, undefined);
    for (const row of rows) found.set(row.id, letterOf(row));
  }
  return found;
}

/** One letter. @throws {TandemError} `not-found`; `invalid` when it is no id */
export async function readDeadLetter(
  pool: Pick<Pool, 'query'>,
  jobId: string,
): Promise<DeadLetter> {
  const letter = (await lettersById(pool, [jobId])).get(jobId.toLowerCase());
  if (letter !== undefined) return letter;
  throw new TandemError('not-found', `There is no dead letter ${jobId}.`);
}

function letterOf({ id, name, data, failure, since }: LetterRow): DeadLetter {
  const read = readJobData(JSON.parse(data));
  const kept: Record<string, unknown> = failure === null ? {} : JSON.parse(failure);
  const { cause, error, fingerprint } = kept;
  return {
    jobId: id,
    direction: directionOf(name),
    item: read.ok ? read.item : undefined,
    cause: typeof cause === 'string' ? cause : 'unknown',
    error: typeof error === 'string' ? error : (failure ?? 'No reason was kept.'),
    fingerprint: typeof fingerprint === 'string' ? fingerprint : NO_FINGERPRINT,
    ...readPastFailures(kept),
    since: new Date(since).toISOString(),
  };
}

interface Position {
  readonly since: string;
  readonly id: string;
}

/** An instant with microseconds, and a job's id. */
const POSITION = /^(\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)\/([0-9a-f-]{36})$/;

/** Opaque to its readers: base64url of where the page ended. */
const cursorOf = ({ since, id }: Position): string =>
  Buffer.from(`${since}/${id}`).toString('base64url');

function readCursor(cursor: string): Position {
  const [, since, id] = POSITION.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (since !== undefined && id !== undefined) return { since, id };
  const errors = [{ field: 'cursor', problem: 'must be one that a page gave' }];
  throw new TandemError('invalid', 'cursor must be one that a page gave.', { detail: { errors } });
}
