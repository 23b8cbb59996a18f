import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  alwaysQueued,
  queuedByRelay,
  type RepairAsked,
  type RepairResult,
  repair,
  unitedMarks,
  type VerifyOptions,
  type VerifyRun,
  verify,
} from '../consistency/index.ts';
import { type JsonStore, openJsonStore } from '../json/index.ts';
import { silentLog } from '../log.ts';
import type { StoreName } from '../phase/index.ts';
import {
  dirtyRanges,
  divergenceLedger,
  markDirty,
  readRelayedSeq,
  relayCursor,
  verifyRuns,
} from '../postgres/index.ts';
import {
  createExplanations,
  createJobSink,
  type DirectionWorker,
  dropDecidedLetters,
  markingJobs,
  QUEUES,
  type Relay,
  readBacklog,
  startDirection,
  startRelay,
} from '../replication/index.ts';
import { createReplicationFixture, type ReplicationFixture } from './replication-fixture.ts';

/** Both stores of a dual phase over one database, with relay and workers that a test starts. */
export interface DualStores extends ReplicationFixture {
  readonly directory: string;
  readonly json: JsonStore;
  relay(): Relay;
  work(direction: StoreName): DirectionWorker;
  /** Stops the relay and the workers at once. */
  rest(): Promise<void>;
  /** Everything the JSON primary has is in PostgreSQL, or is a dead letter. */
  replicated(): Promise<void>;
  /** Changes that wait in the journal or in the queues. */
  lag(): Promise<number>;
  compare(primary: StoreName, options?: Partial<VerifyOptions>): Promise<VerifyRun>;
  /** Repairs while a relay and a worker deliver. */
  repair(primary: StoreName, asked: Partial<RepairAsked>): Promise<RepairResult>;
}

const STOP = { drainTimeoutMs: 0 };
const DRAIN = { drainTimeoutMs: 30_000 };

/**
 * Opens both, in `json-primary` or `postgres-primary`, at epoch 2.
 * @param processName of the JSON store's holder; with it, it answers what others ask of it
 */
export async function openDualStores(
  phase: 'json-primary' | 'postgres-primary',
  processName?: string,
): Promise<DualStores> {
  const fixture = await createReplicationFixture();
  const { pool, queues, collections, store: postgres } = fixture;
  const directory = await mkdtemp(join(tmpdir(), 'tandem-dual-'));
  const json = await openJsonStore({
    ...{ directory, collections },
    ...(processName === undefined ? {} : { processName }),
  });
  const { pairId } = json.phase.read();
  const move = { actor: 'test', reason: 'The test says so.', evidence: {} };
  await json.phase.update({ phase, epoch: 2 });
  await postgres.phase.advance(0, { pairId, phase, epoch: 2 }, move);
  const running: { stop(options: typeof STOP): Promise<unknown> }[] = [];
  const started = <T extends { stop(options: typeof STOP): Promise<unknown> }>(one: T): T => {
    running.push(one);
    return one;
  };
  const stores = { json, postgres };
  const head = async () => json.outbox.head();
  const sides = (primary: StoreName) => ({
    primary: stores[primary],
    secondary: primary === 'json' ? postgres : json,
    explanations: createExplanations(pool, primary === 'json' ? 'postgres' : 'json'),
    mark:
      primary === 'json' ? queuedByRelay(head, () => readRelayedSeq(pool, pairId)) : alwaysQueued,
  });
  const dual: DualStores = {
    ...fixture,
    ...{ directory, json },
    relay: () =>
      started(
        startRelay({
          ...{ outbox: json.outbox, pool, cursor: relayCursor, log: silentLog, pairId },
          jobs: markingJobs(createJobSink({ queues, queue: QUEUES.postgres }), markDirty),
        }),
      ),
    work: (direction) =>
      started(
        startDirection({
          ...{ direction, store: stores[direction], queues, collections, log: silentLog },
        }),
      ),
    async rest() {
      await Promise.all(running.splice(0).map((one) => one.stop(STOP)));
    },
    async replicated() {
      await dual.relay().stop(DRAIN);
      await dual.work('postgres').stop(DRAIN);
    },
    async lag() {
      const relayed = phase === 'json-primary' ? await readRelayedSeq(pool, pairId) : await head();
      return (await head()) - relayed + (await readBacklog(pool)).total;
    },
    compare: (primary, options = {}) =>
      verify({
        ...{ ...sides(primary), collections, runs: verifyRuns(pool), patienceMs: 20_000 },
        ledger: divergenceLedger(pool),
        marks: unitedMarks([dirtyRanges(pool, collections), json.dirty]),
        watermark: { epoch: 2, outboxSeq: json.outbox.head() },
        ...options,
      }),
    repair: (primary, asked) =>
      repair(
        { scope: { runId: 1 }, keep: null, dryRun: false, actor: 'test', reason: 'test', ...asked },
        {
          ...sides(primary),
          ...{ collections, ledger: divergenceLedger(pool), epoch: 2 },
          dropDecided: (collection, ids) =>
            dropDecidedLetters(pool, primary === 'json' ? 'postgres' : 'json', collection, ids),
        },
      ),
    async drop() {
      await dual.rest();
      await json.close();
      await rm(directory, { recursive: true, force: true });
      await fixture.drop();
    },
  };
  return dual;
}
