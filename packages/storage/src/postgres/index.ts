export { auditLog, recordAudit } from './audit-log.ts';
export {
  type AuditTrail,
  type AuditTrailEntry,
  type AuditTrailFilter,
  type AuditTrailPage,
  readAuditTrail,
} from './audit-trail.ts';
export { consistencyOrders } from './consistency-orders.ts';
export { dirtyRanges, markDirty, thinOutDirtyRanges } from './dirty-ranges.ts';
export { divergenceLedger } from './divergence-ledger.ts';
export { keepJsonDisagreements } from './divergences.ts';
export { storageError } from './failure.ts';
export { FlagWatch, type FlagWatchOptions } from './flag-watch.ts';
export { readPhaseFlags, writePhaseFlags } from './flags.ts';
export { type LedgerOperations, ledgerOperations } from './ledger-operations.ts';
export { type Migrated, type MigrateOptions, migrateSchema, schemaIsCurrent } from './migrate.ts';
export {
  type JsonSeen,
  type MigrationOperationsOptions,
  migrationOperations,
} from './migration-operations.ts';
export { readPhaseIntent } from './phase-intents.ts';
export { postgresPhase } from './phase-row.ts';
export { createPool, type PoolOptions } from './pool.ts';
export {
  openPostgresStore,
  type PostgresStore,
  type PostgresStoreOptions,
} from './postgres-store.ts';
export { liveProcesses, ProcessRegistry, type ProcessRegistryOptions } from './process-registry.ts';
export { postgresRecords } from './record-trace.ts';
export { readRelayedSeq, relayCursor } from './relay-cursor.ts';
export { createScratchSchema, type ScratchSchema } from './scratch-schema.ts';
export { whilePhaseStands } from './standing-phase.ts';
export { readTrustFacts, type TrustFacts } from './trust-facts.ts';
export { describeUnseenRows } from './unseen-rows.ts';
export { type ListedVerify, listVerifyRuns, type VerifyListPage } from './verify-run-list.ts';
export {
  lastVerify,
  readVerifyRun,
  type VerifySummary,
  verifiedLast,
  verifyRuns,
} from './verify-runs.ts';
