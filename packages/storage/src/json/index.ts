export type { EditOrder, ExternalEdit } from '../changes/index.ts';
export type { CollectionContent, StoreContent } from './archive-content.ts';
export { type ArchiveManifest, checkArchive } from './archive-file.ts';
export {
  type ArchiveOptions,
  type ArchiveReport,
  archiveJsonStore,
  planArchive,
} from './archive-store.ts';
export { type CheckpointOptions, checkpointWherever } from './checkpoint-wherever.ts';
export {
  type ExternalEdits,
  externalEditsOf,
  type ShownEdit,
} from './external-edits-wherever.ts';
export type { CreateOptions, FileFacts, FileLock, FileSystem, OpenFile } from './file-system.ts';
export { realFileSystem } from './file-system.ts';
export { freshReads } from './fresh-reads.ts';
export { type HandoverRequest, requestHandover } from './handover.ts';
export { inspectJsonPhase, inspectJsonStore, type JsonInspection } from './inspect.ts';
export type { JournalRoom } from './journal.ts';
export {
  type JsonSnapshot,
  type JsonSnapshotOptions,
  openJsonSnapshot,
  type SnapshotRefresh,
} from './json-snapshot.ts';
export type { JsonStore } from './json-store.ts';
export type { MappingError } from './memory.ts';
export { acquireJsonStore, type JsonStoreOptions, openJsonStore } from './open.ts';
export type { RecoveryReport } from './open-context.ts';
export type { Pace } from './pace.ts';
export { jsonRecords } from './record-trace.ts';
export type { Withdraw } from './request-file.ts';
export { markServing, othersServing, type ServingMark } from './serving-mark.ts';
export type { LockHolder } from './store-lock.ts';
export { WarmFollower, type WarmFollowerOptions } from './warm-follower.ts';
