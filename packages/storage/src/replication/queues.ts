import type { PgBoss, Queue } from 'pg-boss';
import { QUEUES } from './job-sink.ts';

/** Name of the queue that keeps the dead letters of a queue. */
export const deadLetterQueueOf = (queue: string): string => `${queue}-dead`;

/** About fifty years: pg-boss knows no "never" and would drop waiting jobs after fourteen days. */
const NEVER_SECONDS = 50 * 365 * 24 * 3600;
/** Out of reach. pg-boss raises a job's retry count whenever a claim lapses, so a limit that can be
 *  reached would turn crashes into dead letters; the worker counts a record's own failures. */
const RETRY_LIMIT_NONE = 1_000_000_000;

/** For jobs that somebody fetches in pg-boss's own way (the worker does not: `taken-jobs.ts`). pg-boss
 *  accepts no shorter heartbeat; the worker takes such jobs back sooner. */
const HEARTBEAT_SECONDS = 10;

type QueuePolicy = Required<
  Pick<
    Queue,
    | 'retryLimit'
    | 'retryDelay'
    | 'retryBackoff'
    | 'retryDelayMax'
    | 'heartbeatSeconds'
    | 'expireInSeconds'
    | 'deleteAfterSeconds'
    | 'retentionSeconds'
    | 'notify'
  >
>;

/** What both directions share. Times are in seconds. `notify` stays off: a NOTIFY in every enqueueing
 *  transaction would make their commits wait for each other; `wake.ts` says it once a batch. */
const WRITE_POLICY: QueuePolicy = {
  retryLimit: RETRY_LIMIT_NONE,
  retryDelay: 1,
  retryBackoff: true,
  retryDelayMax: 60,
  heartbeatSeconds: HEARTBEAT_SECONDS,
  expireInSeconds: 900,
  deleteAfterSeconds: 60,
  retentionSeconds: NEVER_SECONDS,
  notify: false,
};

/** Dead letters are kept until redriven, discarded or superseded; 0 means "never deleted". */
const DEAD_LETTER_POLICY = {
  retryLimit: 0,
  deleteAfterSeconds: 0,
  retentionSeconds: NEVER_SECONDS,
  notify: false,
} as const;

/** Every queue of the system, dead-letter queues first: a queue can only name one that exists. */
const DECLARATIONS: readonly Queue[] = Object.values(QUEUES).flatMap((name) => [
  { name: deadLetterQueueOf(name), ...DEAD_LETTER_POLICY },
  { name, ...WRITE_POLICY, deadLetter: deadLetterQueueOf(name) },
]);

/**
 * Creates the queues that are missing and updates those whose options differ. Idempotent; a policy
 * that changed applies to jobs that are inserted afterwards.
 */
export async function declareQueues(boss: PgBoss): Promise<void> {
  for (const declaration of DECLARATIONS) {
    const existing = await boss.getQueue(declaration.name);
    const { name, ...options } = declaration;
    if (existing === null) {
      await boss.createQueue(name, { ...options, policy: 'standard' });
    } else if (differs(existing, options)) {
      await boss.updateQueue(name, options);
    }
  }
}

const differs = (existing: object, wanted: object): boolean =>
  Object.entries(wanted).some(
    ([option, value]) => (existing as Record<string, unknown>)[option] !== value,
  );

/** Whether every declared queue is there. */
export async function queuesAreDeclared(boss: PgBoss): Promise<boolean> {
  const names = DECLARATIONS.map(({ name }) => name);
  const found = new Set((await boss.getQueues(names)).map(({ name }) => name));
  return names.every((name) => found.has(name));
}
