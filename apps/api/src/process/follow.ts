import type { JsonStore } from '@tandem/storage/json';
import type { Observer } from '@tandem/storage/observer';
import { meetPostgres, type RelayedJournal, type SwitchContext } from '@tandem/storage/phase';
import { markDirty, relayCursor } from '@tandem/storage/postgres';
import {
  createJobSink,
  createRelayedJournal,
  markingJobs,
  QUEUES,
  type QueueClient,
  type Relay,
  startRelay,
} from '@tandem/storage/replication';

/** The journal of this process's JSON store as PostgreSQL's queue has it. */
export const journalOf = (json: JsonStore, queues: QueueClient): RelayedJournal =>
  createRelayedJournal({
    outbox: json.outbox,
    pool: queues.pool,
    cursor: relayCursor,
    pairId: () => json.phase.read().pairId,
  });

/** Starts what follows a JSON primary: meets PostgreSQL whenever it can be reached, then relays. */
export function followWithPostgres(
  context: SwitchContext & { readonly json: JsonStore; readonly observer: Observer },
  journal: RelayedJournal,
  queues: QueueClient,
): Relay {
  const { json, log, observer } = context;
  return startRelay({
    outbox: json.outbox,
    pool: queues.pool,
    jobs: markingJobs(createJobSink({ queues, queue: QUEUES.postgres }), markDirty),
    cursor: relayCursor,
    pairId: json.phase.read().pairId,
    ...{ log, observer },
    // Not the process's own signal: a stop drains, and only the end of the drain cuts a catch-up off.
    beforeRelay: (signal) => meetPostgres({ ...context, signal }, journal),
  });
}
