import type { Pool } from 'pg';
import { compareStamps } from '../changes/index.ts';
import type { RecordJob, RecordJobs, RecordName } from '../xray/index.ts';
import { QUEUE_SCHEMA } from './boss.ts';
import { DIRECTIONS } from './dead-letter-filter.ts';
import { readPastFailures } from './job-failure.ts';
import { readJobData } from './job-payload.ts';
import { QUEUES } from './job-sink.ts';
import { deadLetterQueueOf } from './queues.ts';

/** Jobs of one record that are shown; of more, the latest. */
const JOBS_MAX = 200;

/** Every value as text, whatever parsers the pool has. */
type JobRow = Readonly<
  Record<'id' | 'name' | 'state' | 'data' | 'since' | 'start_after', string> &
    Record<'failure', string | null>
>;

const STATES: Readonly<Record<string, RecordJob['state']>> = {
  created: 'waiting',
  retry: 'failed',
  active: 'active',
};

/** Milliseconds since 1970. */
const milliseconds = (column: string): string =>
  `floor(extract(epoch FROM ${column}) * 1000)::text`;

/** The jobs of single records in pg-boss's job table, at the cost of reading its live jobs. */
export function recordJobs(pool: Pick<Pool, 'query'>): RecordJobs {
  const names = DIRECTIONS.flatMap((direction) => {
    const queue = QUEUES[direction];
    return [queue, deadLetterQueueOf(queue)];
  });
  return {
    async ofRecord({ collection, id }: RecordName) {
      const { rows } = await pool.query<JobRow>(
        `SELECT id, name, state::text AS state, data::text AS data,
           coalesce(source_output, output)::text AS failure,
           ${milliseconds('created_on')} AS since, ${milliseconds('start_after')} AS start_after
         FROM ${QUEUE_SCHEMA}.job
         WHERE name = ANY ($1::text[]) AND state IN ('created', 'retry', 'active')
           AND data #>> '{change,id}' = $2 AND data #>> '{change,collection}' = $3
         ORDER BY created_on DESC LIMIT $4`,
        [names, String(id), collection, JOBS_MAX],
      );
      return rows.flatMap(jobOf).sort((a, b) => compareStamps(a.change, b.change));
    },
  };
}

function jobOf({ id, name, state, data, failure, since, start_after }: JobRow): RecordJob[] {
  const read = readJobData(JSON.parse(data));
  const direction = DIRECTIONS.find((one) => name.startsWith(QUEUES[one]));
  if (!read.ok || read.item.kind !== 'change' || direction === undefined) return [];
  const kept: Record<string, unknown> = failure === null ? {} : JSON.parse(failure);
  const { failures, attempts } = readPastFailures(kept);
  return [
    {
      ...{ jobId: id, direction, change: read.item.change, failures, attempts },
      state: name === QUEUES[direction] ? (STATES[state] ?? 'waiting') : 'dead',
      cause: typeof kept.cause === 'string' ? kept.cause : null,
      error: typeof kept.error === 'string' ? kept.error : null,
      since: new Date(Number(since)).toISOString(),
      startAfter: new Date(Number(start_after)).toISOString(),
    },
  ];
}
