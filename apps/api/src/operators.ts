import type { Collection } from '@tandem/storage/collections';
import type { Configuration } from '@tandem/storage/configuration';
import { externalEditsOf, inspectJsonStore, jsonRecords } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import {
  auditLog,
  consistencyOrders,
  createPool,
  divergenceLedger,
  type JsonSeen,
  lastVerify,
  ledgerOperations,
  listVerifyRuns,
  migrationOperations,
  openPostgresStore,
  postgresRecords,
  readAuditTrail,
  readVerifyRun,
  recordAudit,
  storageError,
  type VerifyListPage,
} from '@tandem/storage/postgres';
import {
  createJobSink,
  createQueueClient,
  deadLetterOperations,
  QUEUES,
  readBacklog,
  recordJobs,
} from '@tandem/storage/replication';
import type { Pool } from 'pg';
import type { AuditOptions } from './routes/audit.ts';
import type { ConsistencyRoutesOptions } from './routes/consistency.ts';
import type { DeadLetterRoutesOptions } from './routes/dead-letters.ts';
import type { ExternalEditOptions } from './routes/external-edits.ts';
import type { MigrationOptions } from './routes/migration.ts';

/** Operators are few, and must be heard also while requests hold every connection of the store. */
const CONNECTIONS_MAX = 2;
/** Whoever holds the JSON store commits and checkpoints before it answers. */
const DECISION_TIMEOUT_MS = 60_000;

/** What operators are given, and the connections it goes over. */
export interface Operators extends MigrationOptions, ExternalEditOptions, AuditOptions {
  readonly deadLetters: DeadLetterRoutesOptions;
  readonly consistency: ConsistencyRoutesOptions;
  readonly pool: Pool;
  close(): Promise<void>;
}

/**
 * What the operators' routes need, over connections of their own.
 * @param held what this process knows of the JSON store while it holds it: looking at it from outside
 *   reads a part of the journal
 * @throws {TandemError} `configuration`
 */
export async function openOperators(
  configuration: Configuration,
  collections: readonly Collection[],
  log: Log,
  held: () => JsonSeen | undefined = () => undefined,
): Promise<Operators> {
  const { databaseUrl = '', lockedFlags, jsonDir } = configuration;
  const applicationName = 'tandem-api-operators';
  const pool = createPool(databaseUrl, { applicationName, max: CONNECTIONS_MAX, log });
  const operations = migrationOperations({
    ...{ pool, lockedFlags },
    json: async () => held() ?? inspectJsonStore(jsonDir),
    backlog: () => readBacklog(pool),
  });
  const xray = {
    ...{ collections, json: jsonRecords(jsonDir) },
    database: { records: postgresRecords(pool, collections), jobs: recordJobs(pool) },
  };
  const deadLetters = {
    operations: deadLetterOperations({ pool, audit: auditLog, operatingError: storageError }),
    xray,
  };
  const queues = createQueueClient({ pool, role: 'enqueue', log });
  const jobs = createJobSink({ queues, queue: QUEUES.json });
  const postgres = openPostgresStore({ pool, collections, jobs, log });
  const edits = externalEditsOf({
    ...{ directory: jsonDir, collections, log, postgres, timeoutMs: DECISION_TIMEOUT_MS },
    audit: (entry) => recordAudit(pool, entry),
  });
  const close = async () => {
    await postgres.close();
    await queues.stop();
    await pool.end();
  };
  const consistency = {
    ...{ ledger: divergenceLedger(pool), operations: ledgerOperations(pool) },
    orders: consistencyOrders(pool),
    runs: {
      last: () => lastVerify(pool),
      read: (id: number) => readVerifyRun(pool, id),
      list: (page: VerifyListPage) => listVerifyRuns(pool, page),
    },
  };
  const trail: AuditOptions['trail'] = (filter, page) => readAuditTrail(pool, filter, page);
  return { operations, deadLetters, consistency, edits, trail, pool, close };
}
