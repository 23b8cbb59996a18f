import type { PoolClient } from 'pg';
import type { Item } from '../changes/index.ts';
import type { JobSink } from './job-sink.ts';

/**
 * Marks what items change in the transaction that puts them into the queue: should one never reach the
 * secondary, the next verify looks at it.
 */
export const markingJobs = (
  sink: JobSink,
  mark: (client: PoolClient, items: readonly Item[]) => Promise<void>,
): JobSink => ({
  async insert(client, items) {
    await sink.insert(client, items);
    await mark(client, items);
  },
});
