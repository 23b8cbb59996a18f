import { type Collection, loadCollections } from '@tandem/storage/collections';
import type { Configuration } from '@tandem/storage/configuration';
import {
  alwaysQueued,
  noLedger,
  noMarks,
  queuedByRelay,
  type VerifyProgress,
  type VerifyRun,
  verify,
} from '@tandem/storage/consistency';
import { isTandemError, TandemError } from '@tandem/storage/errors';
import { freshReads, type JsonSnapshot, openJsonSnapshot } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import { type Phase, primaryOf, secondaryOf } from '@tandem/storage/phase';
import {
  dirtyRanges,
  divergenceLedger,
  liveProcesses,
  openPostgresStore,
  type PostgresStore,
  readRelayedSeq,
  readVerifyRun,
  verifyRuns,
} from '@tandem/storage/postgres';
import {
  createExplanations,
  createJobSink,
  createQueueClient,
  QUEUES,
} from '@tandem/storage/replication';
import type { Pool } from 'pg';
import { carriedOut } from './consistency-order.ts';
import { withDatabase } from './opened-database.ts';
import { operatorName } from './operator.ts';

export interface VerifyAsked {
  /** How long to wait, in all, for what is moving. */
  readonly patienceMs: number;
  readonly log: Log;
  /** Everything is read, not only what changed since it was compared last. */
  readonly isFull: boolean;
  readonly say: (sentence: string) => void;
  readonly onProgress: (progress: VerifyProgress) => void;
}

/** A run, and the phase it was made in. */
export interface Verified {
  readonly phase: Phase;
  readonly run: VerifyRun;
}

/**
 * Compares both stores as they are, whoever holds the JSON store: it is read beside its holder.
 * @throws {TandemError} `unavailable` when one of them can't be read; `mismatched-stores` when they
 *   are halves of different installations
 */
export async function runVerify(
  configuration: Configuration,
  asked: VerifyAsked,
): Promise<Verified> {
  const collections = await loadCollections();
  return withDatabase(configuration, 'verify', async (pool) => {
    const byHolder = asked.isFull ? undefined : await verifiedByHolder(pool, asked);
    if (byHolder !== undefined) return byHolder;
    const snapshot = await openJsonSnapshot({ directory: configuration.jsonDir, collections });
    const queues = createQueueClient({ pool, role: 'enqueue', log: asked.log });
    // It only reads: nothing is ever put into this outbox.
    const jobs = createJobSink({ queues, queue: QUEUES.json });
    const postgres = openPostgresStore({ pool, collections, jobs });
    try {
      return await compare({ pool, snapshot, postgres, collections }, asked);
    } finally {
      await postgres.close();
      await queues.stop();
      await snapshot.close();
    }
  });
}

/** What changed since it was compared last, asked of the process that holds the JSON store: it knows.
 *  @returns `undefined` when nobody takes the order */
async function verifiedByHolder(pool: Pool, { say }: VerifyAsked): Promise<Verified | undefined> {
  const processes = await liveProcesses(pool);
  const phase = processes.find(({ ready }) => ready)?.effective ?? null;
  if (phase === null || secondaryOf(phase) === null) return undefined;
  const ordered = {
    ...{ what: { kind: 'verify', mode: 'changed' } as const, actor: operatorName() },
    reason: 'tandem verify',
  };
  try {
    const { result } = await carriedOut(pool, ordered, say);
    if (result === null || !('runId' in result)) return undefined;
    return { phase, run: await readVerifyRun(pool, result.runId) };
  } catch (error) {
    if (!isTandemError(error, 'unavailable')) throw error;
    say(`${error.message} Everything is read instead.`);
    return undefined;
  }
}

interface Opened {
  readonly pool: Pool;
  readonly snapshot: JsonSnapshot;
  readonly postgres: PostgresStore;
  readonly collections: readonly Collection[];
}

async function compare(
  { pool, snapshot, postgres, collections }: Opened,
  { patienceMs, onProgress }: VerifyAsked,
): Promise<Verified> {
  const theirs = await postgres.phase.read();
  const ours = snapshot.phase;
  if (theirs.pairId !== null && theirs.pairId !== ours.pairId) {
    throw new TandemError(
      'mismatched-stores',
      `The database belongs to the JSON store ${theirs.pairId}, but JSON_DIR holds ${ours.pairId}.`,
    );
  }
  // Every move commits in the new primary first: of two stores the higher epoch is right.
  const { phase, epoch } = theirs.epoch > ours.epoch ? theirs : ours;
  const jsonLeads = primaryOf(phase) === 'json';
  const { catchUpSince } = jsonLeads ? ours : theirs;
  // Where the other store is not written, or not complete yet, differences say nothing.
  const isFollowed = secondaryOf(phase) !== null && catchUpSince === null;
  const json = freshReads(snapshot);
  const head = async () => {
    await snapshot.refresh();
    return snapshot.head;
  };
  const run = await verify({
    ...{
      collections,
      runs: verifyRuns(pool),
      marks: isFollowed ? dirtyRanges(pool, collections) : noMarks,
      ledger: isFollowed ? divergenceLedger(pool) : noLedger,
      ...{ isFollowed, patienceMs, onProgress },
    },
    primary: jsonLeads ? json : postgres,
    secondary: jsonLeads ? postgres : json,
    explanations: createExplanations(pool, jsonLeads ? 'postgres' : 'json'),
    mark:
      phase === 'json-primary'
        ? queuedByRelay(head, () => readRelayedSeq(pool, ours.pairId))
        : alwaysQueued,
    watermark: { epoch, outboxSeq: snapshot.head },
    async epochNow() {
      await snapshot.refresh();
      return (jsonLeads ? snapshot.phase : await postgres.phase.read()).epoch;
    },
  });
  return { phase, run };
}
