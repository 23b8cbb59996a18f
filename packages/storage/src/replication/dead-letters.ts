import pg, { type Pool } from 'pg';
import { type Change, compareStamps, type Item } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import type { Log } from '../log.ts';
import type { StoreName } from '../phase/index.ts';
import type { ScanEntry, Store } from '../store.ts';
import { factsOf } from './apply-batch.ts';
import { QUEUE_SCHEMA } from './boss.ts';
import { readJobData } from './job-payload.ts';
import { QUEUES } from './job-sink.ts';
import { deadLetterQueueOf } from './queues.ts';

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
export async function listDeadLetters(
  pool: Pick<Pool, 'query'>,
  direction: StoreName,
  { limit = PAGE_MAX, after }: DeadLetterPage = {},
): Promise<readonly DeadLetter[]> {
  const { rows } = await pool.query<DeadLetterRow>({
    text: `SELECT id, data, source_output AS failure, created_on AS since FROM ${TABLE}
      WHERE name = $1 AND state < 'completed' AND ($2::uuid IS NULL OR id > $2::uuid)
      ORDER BY id LIMIT $3`,
    values: [deadLetterQueueOf(QUEUES[direction]), after ?? null, limit],
    types: pg.types,
  });
  return rows.map((row) => deadLetterOf(row, direction));
}

interface DeadLetterRow {
  readonly id: string;
  readonly data: unknown;
  readonly failure: Record<string, unknown> | null;
  readonly since: Date;
}

function deadLetterOf(
  { id, data, failure, since }: DeadLetterRow,
  direction: StoreName,
): DeadLetter {
  const read = readJobData(data);
  const { cause, error, failures } = failure ?? {};
  return {
    jobId: id,
    direction,
    item: read.ok ? read.item : undefined,
    cause: typeof cause === 'string' ? cause : 'unknown',
    error: typeof error === 'string' ? error : JSON.stringify(failure),
    failures: typeof failures === 'number' ? failures : 0,
    since: since.toISOString(),
  };
}

/** Sides of a disagreement: only a person's decision ends them (I4). */
const UNDECIDED: readonly string[] = ['conflict', 'fork'];

export interface RetireOptions {
  readonly pool: Pool;
  readonly direction: StoreName;
  /** The store the letters should have reached. */
  readonly store: Store;
  readonly collections: readonly Collection[];
  readonly log: Log;
}

/**
 * Removes the dead letters whose record has, in the secondary, their own state or a newer one: they
 * have nothing left to say. Conflicts and forks stay.
 * @returns how many were removed
 */
export async function retireSuperseded(options: RetireOptions): Promise<number> {
  const { pool, direction, store, collections, log } = options;
  let retired = 0;
  let after: string | undefined;
  for (;;) {
    const page = await listDeadLetters(pool, direction, after === undefined ? {} : { after });
    for (const { jobId, item, cause } of page) {
      if (item?.kind !== 'change' || UNDECIDED.includes(cause)) continue;
      const { change } = item;
      const collection = collections.find(({ name }) => name === change.collection);
      if (collection === undefined) continue;
      if (!supersedes(await entryOf(store, collection, change.id), change)) continue;
      await pool.query(`DELETE FROM ${TABLE} WHERE name = $1 AND id = $2`, [
        deadLetterQueueOf(QUEUES[direction]),
        jobId,
      ]);
      retired += 1;
      log.info(
        { ...factsOf(change), direction },
        `Dead letter for ${change.collection} ${change.id} retired: the record has moved on`,
      );
    }
    after = page.at(-1)?.jobId;
    if (page.length < PAGE_MAX) return retired;
  }
}

async function entryOf(
  store: Store,
  collection: Collection,
  id: number,
): Promise<ScanEntry | undefined> {
  const [entry] = await store.scan(collection, id - 1, 1);
  return entry?.id === id ? entry : undefined;
}

function supersedes(held: ScanEntry | undefined, change: Change): boolean {
  if (held === undefined) return false;
  const order = compareStamps(held, change);
  return order > 0 || (order === 0 && held.text === change.record);
}
