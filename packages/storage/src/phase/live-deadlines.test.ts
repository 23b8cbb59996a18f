// Every step of a live switch has a deadline; a missed one is undone and said, and the next try works.
import type { Pool } from 'pg';
import { afterEach, expect, onTestFinished, test } from 'vitest';
import type { Outcome } from '../changes/index.ts';
import { isTandemError } from '../errors.ts';
import { silentLog } from '../log.ts';
import {
  createPool,
  openPostgresStore,
  type PostgresStore,
  relayCursor,
  storageError,
} from '../postgres/index.ts';
import {
  createJobSink,
  createQueueUpkeep,
  createRelayedJournal,
  jobsDueWithin,
  QUEUES,
} from '../replication/index.ts';
import { type DualStores, openDualStores } from '../testing/dual-stores.ts';
import { create, expense, valuesOf } from '../testing/store-fixture.ts';
import { startTcpProxy } from '../testing/tcp-proxy.ts';
import { until } from '../testing/until.ts';
import { armFailpoint, type Failpoint } from './failpoint.ts';
import type { GateFacts } from './gates.ts';
import type { LiveContext } from './live-context.ts';
import { promoteJson } from './live-demote.ts';
import { promotePostgres } from './live-promote.ts';
import { mend } from './mend.ts';
import type { Phase } from './phases.ts';
import { RoutedStore } from './routed-store.ts';
import { SwitchMachine } from './switch-machine.ts';

/** The deadline of what shall miss it, and of what shall not, however busy the machine is. */
const SHORT_PAUSE_MS = 400;
const LONG_PAUSE_MS = 30_000;
/** Time for a test to do something there. */
const HELD_AT_FAILPOINT_MS = 700;
/** Longer than reads wait for the answer to a commit. */
const HOLD_TIMEOUT_MS = 1_500;
const JOBS_WITHIN_MS = 60_000;

const OPEN: GateFacts = {
  ...{ postgresProblem: null, catchUpSince: null, disagreement: null, overBudget: [] },
  ...{ targetProblem: null, verified: null },
  ...{ mappingErrors: 0, undecided: 0, foreignEdits: 0, deadLetters: 0, backlog: 0 },
};

const pauseAt = (name: Failpoint): void =>
  armFailpoint({ TANDEM_FAILPOINT: `${name}:${HELD_AT_FAILPOINT_MS}` });
afterEach(() => armFailpoint({}));

async function dualStores(phase: 'json-primary' | 'postgres-primary'): Promise<DualStores> {
  const dual = await openDualStores(phase);
  onTestFinished(() => dual.drop());
  return dual;
}

async function contextOf(
  dual: DualStores,
  postgres: PostgresStore,
  desired: Phase,
): Promise<LiveContext> {
  const { json, queues, collections } = dual;
  const journal = createRelayedJournal({
    ...{ outbox: json.outbox, pool: queues.pool, cursor: relayCursor },
    pairId: () => json.phase.read().pairId,
  });
  const stores = { json, postgres };
  const context: LiveContext = {
    ...{ json, postgres, collections, log: silentLog, actor: 'test', reason: 'the test asks' },
    queues: createQueueUpkeep({
      ...{ queues, stores, collections, journal, log: silentLog },
      operatingError: storageError,
    }),
    now: () => new Date(),
    facts: async () => OPEN,
    signal: new AbortController().signal,
    machine: new SwitchMachine(),
    desiredBy: () => desired,
    pauseTimeoutMs: LONG_PAUSE_MS,
  };
  await mend(context, false);
  return context;
}

const promotion = (
  context: LiveContext,
  dual: DualStores,
  requests: RoutedStore,
  { isAlone = true } = {},
) =>
  promotePostgres({
    ...{ ...context, outbox: dual.json.outbox, requests, served: context.postgres },
    othersServe: async () => !isAlone,
    stopRelay: async () => {},
  });

const write = (requests: RoutedStore): Promise<Outcome> =>
  requests.write({ command: { op: 'create', collection: expense, values: valuesOf() } });

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

/** A session of somebody else that lets nobody write expenses. @returns ends it */
async function lockExpenses(pool: Pool): Promise<() => Promise<void>> {
  const client = await pool.connect();
  await client.query('BEGIN; LOCK TABLE expenses IN SHARE ROW EXCLUSIVE MODE');
  return async () => {
    await client.query('ROLLBACK');
    client.release();
  };
}

test('I6: a last round that misses its deadline lifts the seal: the writes that waited go to JSON, and the next try works', async () => {
  const dual = await dualStores('json-primary');
  const { json, store: postgres } = dual;
  const requests = new RoutedStore();
  requests.serve(json);
  await create(json);
  await dual.replicated();
  const context = await contextOf(dual, postgres, 'postgres-primary');
  const unlock = await lockExpenses(dual.pool);
  pauseAt('promote.before-seal');
  const hurried = { ...context, pauseTimeoutMs: SHORT_PAUSE_MS };
  const missed = failureOf(promotion(hurried, dual, requests));
  // Something to carry over in the pause: the difference holds none of these.
  let over = false;
  onTestFinished(() => {
    over = true;
  });
  const during = (async () => {
    while (!over) await write(requests);
  })();
  expect(await missed).toMatchObject({
    code: 'unavailable',
    message: `The switch took longer than ${SHORT_PAUSE_MS} ms and was undone.`,
  });
  expect(json.phase.read()).toMatchObject({ phase: 'json-primary', sealed: false });
  expect(await postgres.phase.read()).toMatchObject({ phase: 'json-primary', epoch: 2 });
  await unlock();
  const second = promotion(context, dual, requests);
  expect(await second).toBeUndefined();
  over = true;
  await during;
  expect(requests.standing.store).toBe(postgres);
  expect(await write(requests)).toMatchObject({ kind: 'created' });
  expect(await postgres.count(expense)).toBeGreaterThan(await json.count(expense));
});

test('I6: a drain that misses its deadline lifts the seal and says so, no write fails, and the next try works', async () => {
  const dual = await dualStores('postgres-primary');
  const { json, store: postgres, pool } = dual;
  const requests = new RoutedStore();
  requests.serve(postgres);
  await create(postgres);
  const context = await contextOf(dual, postgres, 'json-primary');
  const due = () => jobsDueWithin(pool, QUEUES.json, JOBS_WITHIN_MS);
  const demote = (pauseTimeoutMs: number) =>
    promoteJson({
      ...{ ...context, pauseTimeoutMs },
      drained: (timeoutMs) =>
        until('the drain', async () => (await due()) === 0, timeoutMs).then(
          () => true,
          () => false,
        ),
    });
  // Nobody works the queue towards JSON: the job of that write stays in it.
  const missed = failureOf(demote(SHORT_PAUSE_MS));
  await until('the seal', async () => (await postgres.phase.read()).sealed);
  const waiting = write(requests);
  expect(await missed).toMatchObject({
    code: 'unavailable',
    message: 'The queue towards JSON did not drain in time.',
  });
  expect(await postgres.phase.read()).toMatchObject({ phase: 'postgres-primary', sealed: false });
  expect(json.phase.read()).toMatchObject({ phase: 'postgres-primary' });
  // As the api does that sees the seal lifted.
  requests.serve(postgres);
  expect(await waiting).toMatchObject({ kind: 'created' });

  dual.work('json');
  await until('JSON follows again', async () => (await due()) === 0);
  expect(await demote(LONG_PAUSE_MS)).toBeUndefined();
  expect(json.phase.read()).toMatchObject({ phase: 'json-primary', epoch: 3 });
  expect(await json.count(expense)).toBe(2);
});

test.for([
  ['reads go on', true],
  ['reads wait with them where another process serves', false],
] as const)(
  'I3, I6: while the answer to the commit is held up, writes are told that they can not be done; %s',
  async ([, isAlone]) => {
    const dual = await dualStores('json-primary');
    const { json, collections, queues } = dual;
    const proxy = await startTcpProxy(dual.url);
    onTestFinished(() => proxy.close());
    const pool = createPool(proxy.url, { applicationName: 'through the proxy' });
    const jobs = createJobSink({ queues, queue: QUEUES.json });
    const postgres = openPostgresStore({ pool, collections, jobs, log: silentLog });
    onTestFinished(async () => {
      await postgres.close();
      await pool.end();
    });
    const requests = new RoutedStore({ holdTimeoutMs: HOLD_TIMEOUT_MS });
    requests.serve(json);
    const { id } = await create(json);
    const context = await contextOf(dual, postgres, 'postgres-primary');
    pauseAt('promote.committing-marked');
    const promoting = promotion(context, dual, requests, { isAlone });
    await until('the mark', () => json.phase.read().committing !== null);
    const stalled = proxy.stallAt('COMMIT');
    await stalled;
    const refused = failureOf(write(requests));
    const read = requests.get(expense, id);
    if (isAlone) expect(await read).toMatchObject({ id });
    else expect(await failureOf(read)).toMatchObject({ code: 'unavailable' });
    // Nobody knows it yet.
    expect(json.phase.read().committing).not.toBeNull();
    const error = await refused;
    expect(isTandemError(error, 'unavailable'), String(error)).toBe(true);
    proxy.resume();
    expect(await promoting).toBeUndefined();
    expect(requests.standing.store).toBe(postgres);
    expect(await write(requests)).toMatchObject({ kind: 'created' });
    expect(json.phase.read()).toMatchObject({ phase: 'postgres-primary', committing: null });
  },
);
