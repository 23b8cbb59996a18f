import type { Pool, PoolClient } from 'pg';
import type { Item } from '../changes/index.ts';
import type { QueueClient } from './boss.ts';
import { insertJobs } from './insert-jobs.ts';
import { toJobData } from './job-payload.ts';
import type { JobSink } from './job-sink.ts';
import { sayJobsArrived } from './wake.ts';

/** Bounds of one INSERT: the whole list travels as one JSON parameter. */
const CHUNK_JOBS_MAX = 2_000;
const CHUNK_CHARACTERS_MAX = 8 * 1024 * 1024;

/** A process says at most once in this span that jobs arrived: transactions that NOTIFY wait for
 *  each other's commit, and a busy worker fetches without being told. */
const WAKE_INTERVAL_MS = 100;

export interface JobSinkOptions {
  readonly queues: QueueClient;
  /** The queue the items go to. */
  readonly queue: string;
}

/** The {@link JobSink} over pg-boss: jobs commit with the transaction of the client they are given. */
export function createJobSink({ queues, queue }: JobSinkOptions): JobSink {
  const wake = wakeUp(queues.pool, queue);
  return {
    async insert(client, items) {
      if (items.length === 0) return;
      await queues.ready();
      for (const data of chunksOf(items)) await insertJobs(client, queue, data);
      await wake(client);
    },
  };
}

/** The first insert of a span wakes the worker with its commit; later ones share one NOTIFY at the
 *  end of the span, on a connection of its own. */
function wakeUp(pool: Pool, queue: string): (client: PoolClient) => Promise<void> {
  let saidAtMs = Number.NEGATIVE_INFINITY;
  let later: NodeJS.Timeout | undefined;
  return async (client) => {
    const dueInMs = saidAtMs + WAKE_INTERVAL_MS - performance.now();
    if (dueInMs <= 0) {
      saidAtMs = performance.now();
      await sayJobsArrived(client, queue);
    } else if (later === undefined) {
      later = setTimeout(() => {
        later = undefined;
        saidAtMs = performance.now();
        // A lost wake-up is caught up by the worker's polling.
        sayJobsArrived(pool, queue).catch(() => undefined);
      }, dueInMs).unref();
    }
  };
}

/** Their data as JSON, in pieces of a bounded size. */
function* chunksOf(items: readonly Item[]): Generator<string[]> {
  let chunk: string[] = [];
  let characters = 0;
  for (const item of items) {
    const data = JSON.stringify(toJobData(item));
    const full = chunk.length >= CHUNK_JOBS_MAX || characters + data.length > CHUNK_CHARACTERS_MAX;
    if (chunk.length > 0 && full) {
      yield chunk;
      chunk = [];
      characters = 0;
    }
    chunk.push(data);
    characters += data.length;
  }
  if (chunk.length > 0) yield chunk;
}
