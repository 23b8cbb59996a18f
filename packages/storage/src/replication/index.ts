export { type Backlog, type QueueBacklog, readBacklog } from './backlog.ts';
export {
  createQueueClient,
  migrateQueues,
  type QueueClient,
  type QueueClientOptions,
  type QueueRole,
} from './boss.ts';
export { createJobSink, type JobSinkOptions } from './boss-job-sink.ts';
export { type JobSink, QUEUES } from './job-sink.ts';
export type { Outbox, OutboxEntry } from './outbox.ts';
export { deadLetterQueueOf, declareQueues } from './queues.ts';
export type { RelayCursor } from './relay-cursor.ts';
