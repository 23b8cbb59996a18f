import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../log.ts';
import {
  armFailpoint,
  FAILPOINT_VARIABLE,
  flagsOf,
  type PhaseFlags,
  phaseOf,
  promoteJson,
  SwitchMachine,
} from '../phase/index.ts';
import {
  migrationOperations,
  relayCursor,
  storageError,
  writePhaseFlags,
} from '../postgres/index.ts';
import { createQueueUpkeep, createRelayedJournal, readBacklog } from '../replication/index.ts';
import { type DualStores, openDualStores } from '../testing/dual-stores.ts';
import { create, expense, income, run, setOf } from '../testing/store-fixture.ts';
import { until } from '../testing/until.ts';
import { agreeingActs } from './mend.ts';

let dual: DualStores;
beforeEach(async () => {
  dual = await openDualStores('postgres-primary');
  await writePhaseFlags(dual.pool, flagsOf('json-primary'));
});
afterEach(async () => {
  armFailpoint({});
  await dual.drop();
});

const OPEN = {
  ...{ postgresProblem: null, catchUpSince: null, mappingErrors: 0, undecided: 0 },
  ...{ foreignEdits: 0, deadLetters: 0, backlog: 0, disagreement: null, overBudget: [] },
  ...{ targetProblem: null, verified: null },
};

/** A switch to JSON as the worker drives it; `drained` is the test's. */
function demotion(drained: () => Promise<boolean>) {
  const { json, store: postgres, collections, queues, pool } = dual;
  const pairId = () => json.phase.read().pairId;
  const journal = createRelayedJournal({ outbox: json.outbox, pool, cursor: relayCursor, pairId });
  const shared = { collections, log: silentLog };
  const machine = new SwitchMachine();
  const context = {
    ...{ ...shared, json, postgres, machine, actor: 'worker 1', reason: 'test', drained },
    queues: createQueueUpkeep({
      ...{ queues, stores: { json, postgres }, journal, ...shared },
      operatingError: storageError,
    }),
    now: () => new Date(),
    facts: async () => OPEN,
    signal: new AbortController().signal,
    desiredBy: (rows: Partial<PhaseFlags>) => phaseOf({ ...flagsOf('json-only'), ...rows }),
  };
  return { context, machine };
}

const operations = () =>
  migrationOperations({
    ...{ pool: dual.pool, lockedFlags: {} },
    json: async () => ({ phase: dual.json.phase.read(), head: dual.json.outbox.head() }),
    backlog: () => readBacklog(dual.pool),
  });
const ASKED = { actor: 'ann@here', reason: 'Not today.' };

test('I6: a cancel that arrives while the queue drains wins: the seal is lifted, nothing has moved', async () => {
  const { context, machine } = demotion(async () => {
    expect((await dual.store.phase.read()).sealed).toBe(true);
    const { desired } = await operations().cancelPhase(ASKED);
    expect(desired).toBe('postgres-primary');
    return true;
  });
  await machine.agree(agreeingActs(context, false));
  expect(await promoteJson(context)).toEqual({
    waitingFor: expect.stringMatching(/^The flags do not ask for it any more/),
  });
  expect(machine.state).toBe('serving');
  expect(await dual.store.phase.read()).toMatchObject({
    ...{ phase: 'postgres-primary', epoch: 2, sealed: false },
  });
  expect(dual.json.phase.read()).toMatchObject({ phase: 'postgres-primary', epoch: 2 });
  await create(dual.store, { notes: 'PostgreSQL is written as before' });
});

test('I6: a seal that somebody lifts behind the driver keeps JSON from becoming primary: more was written since', async () => {
  const { context, machine } = demotion(async () => true);
  await machine.agree(agreeingActs(context, false));
  const beginRelay = async () => {
    const move = { actor: 'doctor', reason: 'test', evidence: {} };
    await dual.store.phase.advance(2, { sealed: false }, move);
    await create(dual.store, { notes: 'after the drain' });
  };
  const queues = { ...context.queues, beginRelay };
  await expect(promoteJson({ ...context, queues })).rejects.toThrow(
    'Another process moved the phase',
  );
  expect(dual.json.phase.read()).toMatchObject({ phase: 'postgres-primary', epoch: 2 });
  expect(machine.state).toBe('serving');
});

test('I6: writes whose jobs were lost behind the difference keep JSON from becoming primary; the next attempt brings them over', async () => {
  const { store, pool, json } = dual;
  const kept = await create(store, { notes: 'there before' });
  const gone = await create(store, { notes: 'deleted meanwhile' });
  const unknown = { op: 'delete', collection: expense, id: 12_345 } as const;
  const writes = [
    () => run(store, { op: 'update', collection: expense, id: kept.id, set: setOf({ amount: 1 }) }),
    () => run(store, { op: 'delete', collection: expense, id: gone.id }),
    () => create(store, { notes: 'new' }, income),
    () => store.write({ command: unknown, key: { key: 'k', fingerprint: 'f' } }),
  ];
  const { context, machine } = demotion(async () => true);
  await machine.agree(agreeingActs(context, false));
  // The difference reads keys last: what is written then is in nothing that it has read.
  const overtaken = (write: () => Promise<unknown>) => ({
    ...store,
    scanKeys: async (...given: Parameters<typeof store.scanKeys>) => {
      const keys = await store.scanKeys(...given);
      await write();
      await pool.query('DELETE FROM pgboss.job');
      return keys;
    },
  });
  for (const write of writes) {
    const switching = promoteJson({ ...context, postgres: overtaken(write) });
    await expect(switching).rejects.toThrow(/ is not in JSON as it was written/);
    expect(machine.state).toBe('serving');
    expect(json.phase.read()).toMatchObject({ phase: 'postgres-primary', epoch: 2 });
  }
  expect(await promoteJson(context)).toBeUndefined();
  for (const collection of dual.collections) {
    expect(await json.scan(collection, 0, 10)).toEqual(await store.scan(collection, 0, 10));
  }
  expect(await json.keys(['k'])).toEqual(await store.keys(['k']));
});

test('I6: a cancel that arrives after the commit waits for it, and is told that JSON is primary', async () => {
  armFailpoint({ [FAILPOINT_VARIABLE]: 'demote.json-committed:400' });
  const { context, machine } = demotion(async () => true);
  await machine.agree(agreeingActs(context, false));
  const switching = promoteJson(context);
  await until('JSON has committed', async () => dual.json.phase.read().phase === 'json-primary');
  const answer = await operations().cancelPhase(ASKED);
  expect(answer).toMatchObject({ effective: 'json-primary', desired: 'json-primary', steps: [] });
  expect(await switching).toBeUndefined();
  expect(await dual.store.phase.read()).toMatchObject({ phase: 'json-primary', epoch: 3 });
  const moved = (await operations().history(2)).find(({ kind }) => kind === 'moved');
  expect(moved).toMatchObject({
    ...{ from: 'postgres-primary', to: 'json-primary', actor: 'worker 1' },
    evidence: { gates: { 'dead letters': 0 }, durationMs: expect.any(Number) },
  });
});
