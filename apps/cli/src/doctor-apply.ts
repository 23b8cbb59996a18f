import { loadCollections } from '@tandem/storage/collections';
import type { Configuration } from '@tandem/storage/configuration';
import { CatchUpWatch } from '@tandem/storage/consistency';
import { openJsonStore } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import { type WalkResult, walkTo } from '@tandem/storage/phase';
import { createPool, openPostgresStore, relayCursor, storageError } from '@tandem/storage/postgres';
import {
  createJobSink,
  createQueueClient,
  createQueueUpkeep,
  createRelayedJournal,
  QUEUES,
} from '@tandem/storage/replication';
import { databaseOf } from './database-url.ts';
import type { Diagnosis } from './doctor.ts';
import { migrate } from './migrate.ts';
import { operatorName } from './operator.ts';

const CONNECTIONS_MAX = 4;
/** Nobody's: nothing is asked of it while PostgreSQL counts as unreachable. */
const NOWHERE = 'postgres://127.0.0.1:1/none';

/**
 * Takes the plan's steps with the functions of a start, holding the JSON lock.
 * @throws {TandemError} `lock-held`, naming the holder; `mismatched-stores`, `unavailable` as a start
 */
export async function applyPlan(
  configuration: Configuration,
  { desired, steps, postgresProblem }: Diagnosis,
  log: Log,
): Promise<WalkResult> {
  const url = databaseOf(configuration)?.url;
  const needsMigration = steps.some(({ name }) => name === 'migrate');
  if (needsMigration && url !== undefined) {
    await migrate(url, { enableDualWriteOnFirstRun: false, log });
  }
  const usable = postgresProblem === null || needsMigration;
  const collections = await loadCollections();
  const { jsonDir: directory, adoptExternalEdits } = configuration;
  const json = await openJsonStore({
    ...{ directory, collections, adoptExternalEdits, log, processName: 'tandem doctor' },
  });
  const pool = createPool(url ?? NOWHERE, {
    ...{ applicationName: 'tandem doctor', max: CONNECTIONS_MAX, log },
  });
  const queues = createQueueClient({ pool, role: 'enqueue', log });
  const jobs = createJobSink({ queues, queue: QUEUES.json });
  const postgres = openPostgresStore({ pool, collections, jobs, log });
  const journal = createRelayedJournal({
    ...{ outbox: json.outbox, pool, cursor: relayCursor },
    pairId: () => json.phase.read().pairId,
  });
  const stores = { json, postgres };
  try {
    return await walkTo(desired, {
      ...{ json, collections, log, watch: new CatchUpWatch(log), now: () => new Date() },
      queues: createQueueUpkeep({
        ...{ queues, stores, collections, journal, log },
        operatingError: storageError,
      }),
      postgres: usable ? postgres : null,
      ...(usable ? {} : { unreachable: postgresProblem }),
      jsonIsBlank: json.isBlank,
      actor: operatorName(),
      reason: 'tandem doctor --apply',
    });
  } finally {
    await postgres.close();
    await queues.stop();
    await pool.end();
    await json.close();
  }
}
