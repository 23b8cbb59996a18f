export type { AuditEntry, AuditLog } from './audit-log.ts';
export { type Backlog, type QueueBacklog, readBacklog } from './backlog.ts';
export {
  createQueueClient,
  migrateQueues,
  type QueueClient,
  type QueueClientOptions,
  type QueueRole,
} from './boss.ts';
export { createJobSink, type JobSinkOptions } from './boss-job-sink.ts';
export { jobsDueWithin } from './claims.ts';
export {
  DEAD_LETTER_ACTS,
  type DeadLetterAct,
  type DeadLetterActProgress,
  type DeadLetterActResult,
} from './dead-letter-acts.ts';
export { type DeadLetterFilter, NO_FINGERPRINT } from './dead-letter-filter.ts';
export type { DeadLetterGroup, DeadLetterGroups } from './dead-letter-groups.ts';
export {
  type DeadLetterAnswer,
  type DeadLetterOperations,
  type DeadLetterOrder,
  deadLetterOperations,
} from './dead-letter-operations.ts';
export {
  type DeadLetter,
  type DeadLetterList,
  type DeadLetterPage,
  listDeadLetters,
  PAGE_LETTERS_MAX,
} from './dead-letters.ts';
export { dropDecidedLetters } from './decided-letters.ts';
export {
  type DirectionOptions,
  type DirectionState,
  type DirectionStatus,
  type DirectionWorker,
  startDirection,
} from './direction-worker.ts';
export { drained } from './drained.ts';
export { createExplanations } from './explanations.ts';
export { type JobSink, QUEUES } from './job-sink.ts';
export { markingJobs } from './marking-jobs.ts';
export type { Outbox, OutboxEntry } from './outbox.ts';
export { type QueueAges, readQueueAges } from './queue-ages.ts';
export { createQueueUpkeep, type QueueUpkeepOptions } from './queue-upkeep.ts';
export { deadLetterQueueOf, declareQueues } from './queues.ts';
export { recordJobs } from './record-jobs.ts';
export {
  type Relay,
  type RelayOptions,
  type RelayState,
  type RelayStatus,
  startRelay,
} from './relay.ts';
export type { RelayCursor } from './relay-cursor.ts';
export { createRelayedJournal, type RelayedJournalOptions } from './relayed-journal.ts';
export { type RetireOptions, retireSuperseded } from './retire-superseded.ts';
export { inTransaction, type TransactionBounds } from './transaction.ts';
export { dropUnfollowed } from './unfollowed-jobs.ts';
export { listenForJobs, sayJobsArrived } from './wake.ts';
