import pg, { type Pool } from 'pg';
import type { Item } from '../changes/index.ts';
import type { StoreName } from '../phase/index.ts';
import { QUEUE_SCHEMA } from './boss.ts';
import { type DeadLetterFilter, directionOf, filterValues, MATCHES } from './dead-letter-filter.ts';
import { readJobData } from './job-payload.ts';

const TABLE = `${QUEUE_SCHEMA}.job`;
const PAGE_MAX = 500;

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
  readonly failures: number;
  /** ISO instant since when it is dead. */
  readonly since: string;
}

export interface DeadLetterPage {
  readonly limit?: number;
  /** `jobId` of the last one seen. */
  readonly after?: string;
}

/** Dead letters of a direction in a stable order. */
export const listDeadLetters = (
  pool: Pick<Pool, 'query'>,
  direction: StoreName,
  page: DeadLetterPage = {},
): Promise<readonly DeadLetter[]> => findDeadLetters(pool, { direction }, page);

/**
 * Dead letters that match a filter, in a stable order.
 * @throws {TandemError} `invalid` when an id of the filter is none
 */
export async function findDeadLetters(
  pool: Pick<Pool, 'query'>,
  filter: DeadLetterFilter,
  { limit = PAGE_MAX, after }: DeadLetterPage = {},
): Promise<readonly DeadLetter[]> {
  const { rows } = await pool.query<DeadLetterRow>({
    text: `SELECT id, name, data, source_output AS failure, created_on AS since FROM ${TABLE}
      WHERE ${MATCHES} AND ($6::uuid IS NULL OR id > $6::uuid) ORDER BY id LIMIT $7`,
    values: [...filterValues(filter), after ?? null, limit],
    types: pg.types,
  });
  return rows.map(deadLetterOf);
}

interface DeadLetterRow {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
  readonly failure: Record<string, unknown> | null;
  readonly since: Date;
}

function deadLetterOf({ id, name, data, failure, since }: DeadLetterRow): DeadLetter {
  const read = readJobData(data);
  const { cause, error, failures } = failure ?? {};
  return {
    jobId: id,
    direction: directionOf(name),
    item: read.ok ? read.item : undefined,
    cause: typeof cause === 'string' ? cause : 'unknown',
    error: typeof error === 'string' ? error : JSON.stringify(failure),
    failures: typeof failures === 'number' ? failures : 0,
    since: since.toISOString(),
  };
}
