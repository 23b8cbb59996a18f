import { bringUpToDate, type CatchUpReport, describeDifferences } from '../consistency/index.ts';
import { TandemError } from '../errors.ts';
import { mend } from './mend.ts';
import type { SwitchContext } from './switch-context.ts';

/** Port: the journal as an outbox, and how far PostgreSQL's queue has it. */
export interface RelayedJournal {
  /** `seq` of the last durable outbox item. */
  head(): number;
  /**
   * Whether the journal still has everything after the queue's cursor.
   * @throws {TandemError} `mismatched-stores` when the cursor is past the head
   */
  reachesBackToCursor(): Promise<boolean>;
  /** Says that everything up to `seq` is in PostgreSQL: moves the cursor there, never back. */
  skipTo(seq: number): Promise<void>;
  /** Says that PostgreSQL has everything up to the head: moves the cursor there, also back. */
  beginAtHead(): Promise<void>;
}

/**
 * What must be true between a JSON primary and PostgreSQL before its journal is relayed: they agree
 * on the phase, and PostgreSQL lacks nothing that the journal no longer has. Runs beside live writes.
 * @throws {TandemError} when PostgreSQL can't be used, or belongs to another store
 */
export async function meetPostgres(context: SwitchContext, journal: RelayedJournal): Promise<void> {
  await mend(context, false);
  const { json, now } = context;
  if (json.phase.read().phase !== 'json-primary') return;
  if (json.phase.read().catchUpSince === null && !(await journal.reachesBackToCursor())) {
    await json.phase.update({ catchUpSince: now().toISOString() });
  }
  if (json.phase.read().catchUpSince !== null) await catchUp(context, journal);
}

async function catchUp(context: SwitchContext, journal: RelayedJournal): Promise<void> {
  const { json, postgres, queues, collections, log, now, signal } = context;
  const since = json.phase.read().catchUpSince;
  log.info({ since }, 'Catch-up: bringing PostgreSQL up to date with JSON by difference.');
  // What is written from here on has a higher seq, and is relayed after the catch-up.
  const covered = journal.head();
  const report = await bringUpToDate({
    source: json,
    target: postgres,
    collections,
    now,
    ...(signal && { signal }),
    onRejected: (changes) => queues.enqueueRejected('postgres', changes),
    ...(context.watch && { watch: context.watch, isLive: true }),
  });
  await journal.skipTo(covered);
  // It may outlive the relay that it is done for, and dual write may have been off meanwhile: what was
  // written then is in no outbox, and the mark is another one's.
  if (json.phase.read().catchUpSince !== since) {
    throw new TandemError('unavailable', 'Another catch-up became necessary during this one.');
  }
  await json.phase.update({ catchUpSince: null });
  sayWhatRemains(context, report);
}

function sayWhatRemains({ log }: SwitchContext, report: CatchUpReport): void {
  const { seen, applied, remaining } = report;
  if (remaining === 0) {
    log.info(
      { seen, applied },
      `Catch-up: PostgreSQL is up to date; ${applied} of ${seen} were missing.`,
    );
    return;
  }
  log.warn({ seen, applied, remaining }, `Catch-up: ${describeDifferences(report)}.`);
}
