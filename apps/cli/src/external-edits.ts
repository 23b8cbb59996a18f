import { loadCollections } from '@tandem/storage/collections';
import type { Configuration } from '@tandem/storage/configuration';
import { TandemError } from '@tandem/storage/errors';
import { type ExternalEdits, externalEditsOf, inspectJsonStore } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import { createPool, openPostgresStore, recordAudit } from '@tandem/storage/postgres';
import { createJobSink, createQueueClient, QUEUES } from '@tandem/storage/replication';
import { databaseOf } from './database-url.ts';

const CONNECTIONS_MAX = 2;
/** The holder of the store commits and checkpoints before it answers. */
const DECISION_TIMEOUT_MS = 60_000;
/** Asked for nothing but the audit log while JSON is the primary, which it is before there is one. */
const NOWHERE = 'postgres://127.0.0.1:1/none';

/**
 * Runs `work` over the external edits of the JSON store, whoever holds it; PostgreSQL may be away.
 * @throws {TandemError} `unavailable` where there is no store; whatever `work` throws
 */
export async function withExternalEdits<T>(
  configuration: Configuration,
  log: Log,
  work: (edits: ExternalEdits) => Promise<T>,
): Promise<T> {
  const { jsonDir } = configuration;
  if ((await inspectJsonStore(jsonDir)).kind !== 'store') {
    throw new TandemError('unavailable', `There is no JSON store in ${jsonDir} yet.`);
  }
  const collections = await loadCollections();
  const applicationName = 'tandem external-edits';
  const url = databaseOf(configuration)?.url ?? NOWHERE;
  const pool = createPool(url, { applicationName, max: CONNECTIONS_MAX });
  const queues = createQueueClient({ pool, role: 'enqueue', log });
  const jobs = createJobSink({ queues, queue: QUEUES.json });
  const postgres = openPostgresStore({ pool, collections, jobs, log });
  try {
    return await work(
      externalEditsOf({
        ...{ collections, log, postgres, directory: jsonDir },
        timeoutMs: DECISION_TIMEOUT_MS,
        audit: (entry) => recordAudit(pool, entry),
      }),
    );
  } finally {
    await postgres.close();
    await queues.stop();
    await pool.end();
  }
}
