import pg, { type Pool } from 'pg';
import { QUEUE_SCHEMA } from './boss.ts';
import { QUEUES } from './job-sink.ts';
import { deadLetterQueueOf } from './queues.ts';

export interface QueueBacklog {
  /** Jobs that wait, those that wait for another try included. */
  readonly waiting: number;
  /** Jobs a worker has in hand. */
  readonly active: number;
  /** Secondary-write jobs that failed for good. */
  readonly deadLetters: number;
}

export interface Backlog {
  /** By queue name. */
  readonly queues: Readonly<Record<string, QueueBacklog>>;
  /** Waiting and active jobs of all queues. */
  readonly total: number;
  readonly deadLetters: number;
}

/**
 * Counts the jobs exactly, at a cost of the live jobs only (pg-boss's partial index over them).
 * Before the queue schema exists everything is 0. Needs no started pg-boss.
 */
export async function readBacklog(pool: Pick<Pool, 'query'>): Promise<Backlog> {
  const counted = await countLive(pool);
  const queues: Record<string, QueueBacklog> = {};
  for (const queue of Object.values(QUEUES)) {
    const active = counted(queue, 'active');
    const dead = deadLetterQueueOf(queue);
    queues[queue] = {
      waiting: counted(queue) - active,
      active,
      deadLetters: counted(dead),
    };
  }
  const sum = (of: (queue: QueueBacklog) => number): number =>
    Object.values(queues).reduce((total, queue) => total + of(queue), 0);
  return {
    queues,
    total: sum(({ waiting, active }) => waiting + active),
    deadLetters: sum(({ deadLetters }) => deadLetters),
  };
}

/** Whether the database has the queue's tables at all. */
export async function queuesAreInstalled(pool: Pick<Pool, 'query'>): Promise<boolean> {
  const { rows } = await pool.query<{ installed: boolean }>({
    text: 'SELECT to_regclass($1) IS NOT NULL AS installed',
    values: [`${QUEUE_SCHEMA}.job`],
    types: pg.types,
  });
  return rows[0]?.installed === true;
}

type Count = (queue: string, state?: string) => number;

async function countLive(pool: Pick<Pool, 'query'>): Promise<Count> {
  if (!(await queuesAreInstalled(pool))) return () => 0;
  const names = Object.values(QUEUES).flatMap((queue) => [queue, deadLetterQueueOf(queue)]);
  const { rows } = await pool.query<{ name: string; state: string; jobs: string }>(
    `SELECT name, state::text AS state, count(*) AS jobs FROM ${QUEUE_SCHEMA}.job
     WHERE name = ANY ($1) AND state IN ('created', 'retry', 'active') GROUP BY 1, 2`,
    [names],
  );
  return (queue, state) =>
    rows
      .filter((row) => row.name === queue && (state === undefined || row.state === state))
      .reduce((total, row) => total + Number(row.jobs), 0);
}
