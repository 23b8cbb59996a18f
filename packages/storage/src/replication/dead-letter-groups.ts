import type { Pool } from 'pg';
import type { StoreName } from '../phase/index.ts';
import { QUEUE_SCHEMA } from './boss.ts';
import {
  CAUSE,
  conditionOf,
  type DeadLetterFilter,
  DIRECTIONS,
  FINGERPRINT,
  LIVE,
} from './dead-letter-filter.ts';
import { type DeadLetter, lettersById } from './dead-letters.ts';
import { errorTemplate } from './error-fingerprint.ts';

const TABLE = `${QUEUE_SCHEMA}.job`;
/** Kinds of failure shown, the largest ones. */
const GROUPS_MAX = 100;

/** Dead letters of one direction that failed in the same way. */
export interface DeadLetterGroup {
  readonly direction: StoreName;
  readonly fingerprint: string;
  readonly cause: string;
  /** The error without what is particular to one record. */
  readonly template: string;
  readonly count: number;
  /** Collections that have one; letters that carry no change have none. */
  readonly collections: readonly string[];
  /** ISO instants between which they died. */
  readonly firstSince: string;
  readonly lastSince: string;
  /** The latest one. */
  readonly example: DeadLetter;
}

export interface DeadLetterGroups {
  /** Letters in all. */
  readonly total: number;
  /** How many groups there are; the largest of them are listed. */
  readonly groupCount: number;
  readonly groups: readonly DeadLetterGroup[];
}

/** Every value as text, whatever parsers the pool has. */
interface GroupRow {
  readonly fingerprint: string;
  readonly cause: string;
  readonly letters: string;
  readonly collections: string | null;
  readonly first: string;
  readonly last: string;
  readonly example: string;
}

/**
 * The dead letters that match a filter by their kind of failure, the largest group first.
 * @throws {TandemError} `invalid` when an id of the filter is none
 */
export async function groupDeadLetters(
  pool: Pick<Pool, 'query'>,
  filter: DeadLetterFilter,
  limit = GROUPS_MAX,
): Promise<DeadLetterGroups> {
  const found: (GroupRow & { readonly direction: StoreName })[] = [];
  for (const direction of DIRECTIONS) {
    const condition = conditionOf(filter, direction);
    if (condition === undefined) continue;
    const { rows } = await pool.query<GroupRow>(
      `SELECT ${FINGERPRINT} AS fingerprint, ${CAUSE} AS cause, count(*)::text AS letters,
         json_agg(DISTINCT data #>> '{change,collection}')
           FILTER (WHERE data #>> '{change,collection}' IS NOT NULL)::text AS collections,
         ${milliseconds('min(created_on)')} AS first, ${milliseconds('max(created_on)')} AS last,
         (array_agg(id::text ORDER BY created_on DESC, id DESC))[1] AS example
       FROM ${TABLE} WHERE ${condition.text} AND ${LIVE} GROUP BY 1, 2`,
      [...condition.values],
    );
    for (const row of rows) found.push({ ...row, direction });
  }
  found.sort((a, b) => Number(b.letters) - Number(a.letters));
  const shown = found.slice(0, limit);
  const examples = await lettersById(
    pool,
    shown.map(({ example }) => example),
  );
  return {
    total: found.reduce((sum, { letters }) => sum + Number(letters), 0),
    groupCount: found.length,
    // One whose example has gone meanwhile is on the move.
    groups: shown.flatMap((row) => {
      const example = examples.get(row.example);
      return example === undefined ? [] : [groupOf(row, example)];
    }),
  };
}

const milliseconds = (instant: string): string =>
  `(extract(epoch FROM ${instant}) * 1000)::bigint::text`;

const instantOf = (ms: string): string => new Date(Number(ms)).toISOString();

function groupOf(row: GroupRow & { readonly direction: StoreName }, example: DeadLetter) {
  const { direction, fingerprint, cause, letters, collections, first, last } = row;
  return {
    ...{ direction, fingerprint, cause, example },
    template: errorTemplate(example.error),
    count: Number(letters),
    collections: collections === null ? [] : (JSON.parse(collections) as string[]),
    firstSince: instantOf(first),
    lastSince: instantOf(last),
  };
}
