import type { Pool } from 'pg';
import { type Change, compareStamps } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import type { Log } from '../log.ts';
import type { StoreName } from '../phase/index.ts';
import type { ScanEntry, Store } from '../store.ts';
import { factsOf } from './apply-batch.ts';
import { QUEUE_SCHEMA } from './boss.ts';
import { type DeadLetter, listDeadLetters } from './dead-letters.ts';
import { QUEUES } from './job-sink.ts';
import { deadLetterQueueOf } from './queues.ts';

const PAGE_LETTERS = 500;
/** Of more letters at once, one line tells how many there are. */
const LOGGED_EACH_MAX = 20;

/** Sides of a disagreement: only a person's decision ends them (I4). */
const UNDECIDED: readonly string[] = ['conflict', 'fork'];

export interface RetireOptions {
  readonly pool: Pool;
  readonly direction: StoreName;
  /** The store the letters should have reached. */
  readonly store: Pick<Store, 'entries'>;
  readonly collections: readonly Collection[];
  readonly log: Log;
}

interface Letter {
  readonly jobId: string;
  readonly change: Change;
}

/**
 * Removes the dead letters whose record has, in the secondary, their own state or a newer one: they
 * have nothing left to say. Conflicts and forks stay. One read of the store and one statement for
 * each collection of a page.
 * @returns how many were removed
 */
export async function retireSuperseded(options: RetireOptions): Promise<number> {
  const { pool, direction, collections } = options;
  let retired = 0;
  let after: string | undefined;
  for (;;) {
    const page = await listDeadLetters(pool, direction, {
      limit: PAGE_LETTERS,
      ...(after === undefined ? {} : { after }),
    });
    const letters = page.flatMap(letterOf);
    for (const collection of collections) {
      const own = letters.filter(({ change }) => change.collection === collection.name);
      if (own.length > 0) retired += await retire(options, collection, own);
    }
    after = page.at(-1)?.jobId;
    if (page.length < PAGE_LETTERS) return retired;
  }
}

const letterOf = ({ jobId, item, cause }: DeadLetter): Letter[] =>
  item?.kind === 'change' && !UNDECIDED.includes(cause) ? [{ jobId, change: item.change }] : [];

async function retire(
  { pool, direction, store, log }: RetireOptions,
  collection: Collection,
  letters: readonly Letter[],
): Promise<number> {
  const ids = letters.map(({ change }) => change.id);
  const held = new Map(
    (await store.entries(collection, ids)).map((entry) => [entry.id, entry] as const),
  );
  const over = letters.filter(({ change }) => supersedes(held.get(change.id), change));
  if (over.length === 0) return 0;
  const { rows } = await pool.query<{ id: string }>(
    `DELETE FROM ${QUEUE_SCHEMA}.job WHERE name = $1 AND id = ANY ($2::uuid[]) RETURNING id`,
    [deadLetterQueueOf(QUEUES[direction]), over.map(({ jobId }) => jobId)],
  );
  const gone = new Set(rows.map(({ id }) => id));
  const retired = over.filter(({ jobId }) => gone.has(jobId));
  const level = retired.length > LOGGED_EACH_MAX ? 'debug' : 'info';
  for (const { change } of retired) {
    const sentence = `Dead letter for ${change.collection} ${change.id} retired: the record has moved on`;
    log[level]({ ...factsOf(change), direction }, sentence);
  }
  if (level === 'debug') {
    const facts = { direction, collection: collection.name, letters: retired.length };
    log.info(facts, `${retired.length} dead letters retired: their records have moved on`);
  }
  return gone.size;
}

function supersedes(held: ScanEntry | undefined, change: Change): boolean {
  if (held === undefined) return false;
  const order = compareStamps(held, change);
  return order > 0 || (order === 0 && held.text === change.record);
}
