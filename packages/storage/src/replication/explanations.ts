import type { Pool } from 'pg';
import type { DeadLetterFact } from '../consistency/verify-class.ts';
import type { Explained, Explanations } from '../consistency/verify-run.ts';
import type { StoreName } from '../phase/index.ts';
import { QUEUE_SCHEMA } from './boss.ts';
import { CAUSE } from './dead-letter-filter.ts';
import { QUEUES } from './job-sink.ts';
import { deadLetterQueueOf } from './queues.ts';

const TABLE = `${QUEUE_SCHEMA}.job`;

/** Every value as text, whatever parsers the pool has. */
interface JobRow {
  readonly subject: string;
  readonly dead: string;
  readonly cause: string;
  readonly error: string | null;
  readonly epoch: string | null;
  readonly version: string | null;
}

/**
 * What waits, is in hand or has died on its way to a store, over pg-boss's job table. One statement,
 * so that a job which dies meanwhile is seen as the one or the other.
 * @param direction the secondary
 */
export function createExplanations(pool: Pick<Pool, 'query'>, direction: StoreName): Explanations {
  const queue = QUEUES[direction];
  const dead = deadLetterQueueOf(queue);

  /** @param subject the path of what identifies the item in a job's data */
  const ask = async (
    subject: string,
    subjects: readonly string[],
    collection: string | null,
  ): Promise<readonly JobRow[]> => {
    if (subjects.length === 0) return [];
    const { rows } = await pool.query<JobRow>(
      `SELECT data #>> $3::text[] AS subject, (name = $2)::text AS dead, ${CAUSE} AS cause,
         source_output->>'error' AS error,
         data #>> '{change,epoch}' AS epoch, data #>> '{change,version}' AS version
       FROM ${TABLE}
       WHERE name IN ($1, $2) AND state < 'completed' AND data #>> $3::text[] = ANY ($4::text[])
         AND ($5::text IS NULL OR data #>> '{change,collection}' = $5)`,
      [queue, dead, subject, subjects, collection],
    );
    return rows;
  };

  return {
    async ofRecords(collection, ids) {
      const rows = await ask('{change,id}', ids.map(String), collection);
      return explainedBy(rows, Number);
    },
    async ofKeys(keys) {
      return explainedBy(await ask('{key,key}', keys, null), (key) => key);
    },
  };
}

function explainedBy<Subject>(
  rows: readonly JobRow[],
  subjectOf: (text: string) => Subject,
): Explained<Subject> {
  const pending = new Set<Subject>();
  const deadLetters = new Map<Subject, DeadLetterFact[]>();
  for (const { subject, dead, cause, error, epoch, version } of rows) {
    const named = subjectOf(subject);
    if (dead !== 'true') {
      pending.add(named);
      continue;
    }
    const stamp = { epoch: Number(epoch), version: Number(version) };
    const letters = deadLetters.get(named) ?? [];
    letters.push({
      ...{ cause, error: error ?? 'No reason was kept.' },
      stamp: Number.isSafeInteger(stamp.epoch) && epoch !== null ? stamp : undefined,
    });
    deadLetters.set(named, letters);
  }
  return { pending, deadLetters };
}
