import { setTimeout as sleep } from 'node:timers/promises';
import { sentenceOf } from '@tandem/storage/errors';
import type { Log } from '@tandem/storage/log';
import { createPool, migrateSchema } from '@tandem/storage/postgres';
import { migrateQueues } from '@tandem/storage/replication';

const RETRY_INTERVAL_MS = 2_000;

/**
 * Brings the database in use to the current schema: the records' tables, then the queue's. A first
 * run switches dual write on: it is what Tandem is for.
 */
async function migrate(url: string, log: Log): Promise<void> {
  const pool = createPool(url, { applicationName: 'tandem start', max: 2, log });
  try {
    await migrateSchema(pool, { enableDualWriteOnFirstRun: true });
    await migrateQueues(pool, log);
  } finally {
    await pool.end();
  }
}

/**
 * Migrates once; if that fails, says so and goes on trying in the background until the signal aborts.
 * Whether the services can do without the database is theirs to say: in a JSON phase they can.
 *
 * @returns whether it is migrated now, and when the trying in the background has ended
 */
export async function migrateOrKeepTrying(
  url: string,
  log: Log,
  signal: AbortSignal,
): Promise<{ migrated: boolean; settled: Promise<void> }> {
  try {
    await migrate(url, log);
    return { migrated: true, settled: Promise.resolve() };
  } catch (error) {
    log.warn(
      { cause: sentenceOf(error) },
      `The database can't be migrated now: ${sentenceOf(error)} It is tried again until it can.`,
    );
    return { migrated: false, settled: keepTrying(url, log, signal) };
  }
}

async function keepTrying(url: string, log: Log, signal: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(RETRY_INTERVAL_MS, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    try {
      await migrate(url, log);
      log.info({}, 'The database is reached, and migrated.');
      return;
    } catch (error) {
      log.debug({ cause: sentenceOf(error) }, 'The database still can not be migrated.');
    }
  }
}
