// A service that waits to be started again when the whole is stopped drains nothing and writes no files:
// what it leaves is said, and the files are written in its place (I7).
import { loadCollections } from '@tandem/storage/collections';
import { isTandemError, sentenceOf } from '@tandem/storage/errors';
import { checkpointWherever } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import { within } from '@tandem/storage/phase';
import { createPool } from '@tandem/storage/postgres';
import { readBacklog } from '@tandem/storage/replication';

const COUNT_TIMEOUT_MS = 3_000;
const CHECKPOINT_TIMEOUT_MS = 30_000;

export interface LeftBehind {
  /** The services that were not running. */
  readonly names: readonly string[];
  readonly databaseUrl: string;
  readonly jsonDir: string;
  readonly log: Log;
}

/** Writes the files that nobody wrote, and says what was not drained. Never throws. */
export async function settleLeftBehind(left: LeftBehind): Promise<void> {
  const { names, log, jsonDir: directory } = left;
  const who = names.map((name) => `The ${name} was not running when it was to stop`).join('. ');
  log.warn({ services: names }, `${who}: ${await waitingIn(left)}`);
  try {
    const collections = await loadCollections();
    const timeoutMs = CHECKPOINT_TIMEOUT_MS;
    await checkpointWherever({ directory, collections, log, timeoutMs });
  } catch (error) {
    // There may be no JSON store yet.
    if (isTandemError(error, 'unavailable')) return;
    log.error({ error: sentenceOf(error) }, 'The JSON files lack what the journal has.');
  }
}

async function waitingIn({ databaseUrl, log }: LeftBehind): Promise<string> {
  const pool = createPool(databaseUrl, { applicationName: 'tandem-start', max: 1, log });
  try {
    const { total } = await within(COUNT_TIMEOUT_MS, 'Counting', readBacklog(pool));
    if (total === 0) return 'nothing waits in the queue.';
    const changes = total === 1 ? '1 change waits' : `${total} changes wait`;
    return `${changes} in the queue until the next start.`;
  } catch (error) {
    return `what waits in the queue is not known (${sentenceOf(error)}).`;
  } finally {
    await pool.end();
  }
}
