export { type JobSink, QUEUES } from './job-sink.ts';
export type { Outbox, OutboxEntry } from './outbox.ts';
