// Names end in their unit (_seconds, _bytes), those of counters in _total. Labels have few values each:
// never an id, a path or a sentence.
import { Counter, Histogram, type Registry } from '@prometheus-io/client';
import type { Command } from '@tandem/storage/changes';
import type { ErrorCode } from '@tandem/storage/errors';
import { type Observer, SHADOW_READ_ENDS } from '@tandem/storage/observer';
import { REFUSAL_KINDS, type RefusalKind } from '@tandem/storage/tokens';

/** From a tick of a memory disk to a disk that hangs, in seconds. */
const SYNC_BUCKETS = [
  0.000_25, 0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1, 4,
];
const REQUEST_BUCKETS = [0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15];
/** From a worker that keeps up to an outage of a day. */
const LAG_BUCKETS = [
  0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 86_400,
];
/** From an empty store to ten million records on a slow disk. */
const CHECKPOINT_BUCKETS = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];
const BATCH_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 4_096];

/** A counter that begins with its first event has no increase to show for it, and an alert on rare
 *  events would sleep through the first: what is worth an alert begins at 0. */
const FAILURES: readonly ErrorCode[] = [
  ...(['unavailable', 'not-primary', 'outcome-unknown', 'overloaded'] as const),
  ...(['storage-failed', 'storage-full'] as const),
];
const OPERATIONS: readonly Command['op'][] = ['create', 'update', 'delete', 'bulk-delete'];

/** What requests are counted by. */
export interface RequestMeter {
  /** @param route as it is declared, e.g. `/api/v1/expense/:id`; never a path that was sent */
  ended(request: {
    readonly method: string;
    readonly route: string;
    readonly status: number;
    readonly phase: string;
    readonly seconds: number;
  }): void;
  /** @param outcome a kind of `Outcome`, or the code of the error */
  wrote(write: {
    readonly collection: string;
    readonly op: string;
    readonly outcome: string;
  }): void;
  /** Somebody was not let in. */
  refused(kind: RefusalKind): void;
}

export function requestMeter(registry: Registry, collections: readonly string[]): RequestMeter {
  const registers = [registry];
  const duration = new Histogram({
    ...{ name: 'tandem_request_duration_seconds', registers, buckets: REQUEST_BUCKETS },
    help: 'From the arrival of a request to the end of its answer, by the phase it ended in.',
    labelNames: ['method', 'route', 'status', 'phase'],
  });
  const writes = new Counter({
    ...{ name: 'tandem_writes_total', registers },
    help: 'Writes asked of the primary, by what became of them: an outcome or an error code.',
    labelNames: ['collection', 'op', 'outcome'],
  });
  const refusals = new Counter({
    ...{ name: 'tandem_refused_authentications_total', registers },
    help: 'Requests that were not let in, by why: never by what they brought.',
    labelNames: ['kind'],
  });
  for (const kind of REFUSAL_KINDS) refusals.inc({ kind }, 0);
  for (const collection of collections) {
    for (const op of OPERATIONS) {
      for (const outcome of FAILURES) writes.inc({ collection, op, outcome }, 0);
    }
  }
  return {
    ended({ method, route, status, phase, seconds }) {
      // The count of requests is this histogram's own: one look-up a request, not two.
      duration.observe({ method, route, status, phase }, seconds);
    },
    wrote: (write) => writes.inc({ ...write }),
    refused: (kind) => refusals.inc({ kind }),
  };
}

/** Histograms and counters of the work behind the requests. */
export function workMetrics(registry: Registry, collections: readonly string[]) {
  const registers = [registry];
  const metrics = {
    journalSync: new Histogram({
      ...{ name: 'tandem_journal_sync_duration_seconds', registers, buckets: SYNC_BUCKETS },
      help: 'Writing and syncing one batch of the journal.',
    }),
    journalBatch: new Histogram({
      ...{ name: 'tandem_journal_batch_items', registers, buckets: BATCH_BUCKETS },
      help: 'Changes and keys that share one sync of the journal.',
    }),
    journalBytes: new Counter({
      ...{ name: 'tandem_journal_written_bytes_total', registers },
      help: 'Bytes appended to the journal.',
    }),
    checkpoint: new Histogram({
      ...{ name: 'tandem_checkpoint_duration_seconds', registers, buckets: CHECKPOINT_BUCKETS },
      help: 'Writing a whole checkpoint of the JSON store, in the background.',
    }),
    checkpointFailures: new Counter({
      ...{ name: 'tandem_checkpoint_failures_total', registers },
      help: 'Checkpoints that failed; the journal has what the files lack.',
    }),
    switchPause: new Histogram({
      ...{ name: 'tandem_switch_pause_seconds', registers, buckets: REQUEST_BUCKETS },
      help: 'How long writes waited for a switch of the primary, by the process that drove it.',
    }),
    postgresCommit: new Histogram({
      ...{ name: 'tandem_postgres_commit_duration_seconds', registers, buckets: REQUEST_BUCKETS },
      help: 'One transaction of writes to PostgreSQL as the primary, from its begin on.',
    }),
    postgresBatch: new Histogram({
      ...{ name: 'tandem_postgres_batch_writes', registers, buckets: BATCH_BUCKETS },
      help: 'Writes that share one transaction.',
    }),
    relayed: new Counter({
      ...{ name: 'tandem_relayed_total', registers },
      help: 'Items of the journal that were put into the queue.',
    }),
    relayBatch: new Histogram({
      ...{ name: 'tandem_relay_batch_duration_seconds', registers, buckets: REQUEST_BUCKETS },
      help: 'Putting one batch of the journal into the queue.',
    }),
    applied: new Counter({
      ...{ name: 'tandem_secondary_writes_total', registers },
      help: 'Jobs done on the secondary: applied, or superseded by a state it has already.',
      labelNames: ['direction', 'end'],
    }),
    applyBatch: new Histogram({
      ...{ name: 'tandem_apply_batch_jobs', registers, buckets: BATCH_BUCKETS },
      help: 'Jobs that share one bulk write to the secondary.',
      labelNames: ['direction'],
    }),
    applyDuration: new Histogram({
      ...{ name: 'tandem_apply_duration_seconds', registers, buckets: REQUEST_BUCKETS },
      help: 'One bulk write to the secondary.',
      labelNames: ['direction'],
    }),
    lag: new Histogram({
      ...{ name: 'tandem_replication_lag_seconds', registers, buckets: LAG_BUCKETS },
      help: 'From the instant of a change in the primary to its being applied to the secondary.',
      labelNames: ['direction'],
    }),
    failed: new Counter({
      ...{ name: 'tandem_secondary_failures_total', registers },
      help: 'Jobs that failed, by cause; end: retried, or dead_lettered for good.',
      labelNames: ['direction', 'cause', 'end'],
    }),
    shadowReads: new Counter({
      ...{ name: 'tandem_shadow_reads_total', registers },
      help: 'Sampled reads also done on the secondary, by how they compare.',
      labelNames: ['collection', 'op', 'end'],
    }),
    shadowReadDuration: new Histogram({
      ...{ name: 'tandem_shadow_read_duration_seconds', registers, buckets: SYNC_BUCKETS },
      help: 'The same sampled reads, as either store answered them.',
      labelNames: ['op', 'store'],
    }),
  };
  for (const collection of collections) {
    for (const op of ['get', 'page']) {
      for (const end of SHADOW_READ_ENDS) metrics.shadowReads.inc({ collection, op, end }, 0);
    }
  }
  return metrics;
}

/** Counts and measures what an {@link Observer} is told. */
export function observerOf(work: ReturnType<typeof workMetrics>): Observer {
  return {
    committed({ store, startedMs, endedMs, items, bytes }) {
      const seconds = (endedMs - startedMs) / 1_000;
      if (store === 'json') {
        work.journalSync.observe(seconds);
        work.journalBatch.observe(items);
        work.journalBytes.inc(bytes);
      } else {
        work.postgresCommit.observe(seconds);
        work.postgresBatch.observe(items);
      }
    },
    relayed({ startedMs, endedMs, items }) {
      work.relayed.inc(items.length);
      work.relayBatch.observe((endedMs - startedMs) / 1_000);
    },
    applied({ direction, startedMs, endedMs, jobs }) {
      work.applyBatch.observe({ direction }, jobs.length);
      work.applyDuration.observe({ direction }, (endedMs - startedMs) / 1_000);
      const nowMs = performance.timeOrigin + endedMs;
      const done = { applied: 0, superseded: 0 };
      for (const { item, end } of jobs) {
        if (end === 'failed' || end === 'hopeless' || item === undefined) continue;
        done[end] += 1;
        if (end === 'applied' && item.kind === 'change') {
          // Two machines' clocks may differ by more than a lag.
          const lagMs = Math.max(0, nowMs - Date.parse(item.change.at));
          if (!Number.isNaN(lagMs)) work.lag.observe({ direction }, lagMs / 1_000);
        }
      }
      for (const [end, jobs] of Object.entries(done)) work.applied.inc({ direction, end }, jobs);
    },
    failed({ direction, cause, isDeadLetter }) {
      work.failed.inc({ direction, cause, end: isDeadLetter ? 'dead_lettered' : 'retried' });
    },
    shadowRead({ collection, op, end, seconds }) {
      work.shadowReads.inc({ collection, op, end });
      for (const [store, took] of Object.entries(seconds)) {
        work.shadowReadDuration.observe({ op, store }, took);
      }
    },
    checkpointed({ startedMs, endedMs, isDone }) {
      if (isDone) work.checkpoint.observe((endedMs - startedMs) / 1_000);
      else work.checkpointFailures.inc();
    },
    switched: ({ pauseMs }) => work.switchPause.observe(pauseMs / 1_000),
  };
}
