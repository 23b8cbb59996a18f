import { afterEach, beforeEach, expect, test } from 'vitest';
import { TandemError } from '../errors.ts';
import { silentLog } from '../log.ts';
import { relayCursor, storageError } from '../postgres/index.ts';
import { createQueueUpkeep, createRelayedJournal } from '../replication/index.ts';
import { type DualStores, openDualStores } from '../testing/dual-stores.ts';
import { create } from '../testing/store-fixture.ts';
import { SwitchMachine } from './switch-machine.ts';
import { walkTo } from './walk.ts';

let dual: DualStores;
beforeEach(async () => {
  dual = await openDualStores('json-primary');
});
afterEach(() => dual.drop());

test('I3: a stop during the difference of a walk undoes the seal and ends it; the next start goes on', async () => {
  const { json, store: postgres, collections, queues, pool } = dual;
  for (let n = 0; n < 5; n += 1) await create(json, { notes: `n${n}` });
  const pairId = () => json.phase.read().pairId;
  const journal = createRelayedJournal({ outbox: json.outbox, pool, cursor: relayCursor, pairId });
  const shared = { collections, log: silentLog };
  const stopping = new AbortController();
  const machine = new SwitchMachine();
  let asked = 0;
  const context = {
    ...{ ...shared, json, postgres, machine, jsonIsBlank: false, actor: 'test', reason: 'start' },
    queues: createQueueUpkeep({
      ...{ queues, stores: { json, postgres }, journal, ...shared },
      operatingError: storageError,
    }),
    signal: stopping.signal,
    // The difference asks for the time; then JSON is sealed already.
    now: () => {
      asked += 1;
      if (json.phase.read().sealed) stopping.abort(new TandemError('unavailable', 'It stops.'));
      return new Date();
    },
  };
  await expect(walkTo('postgres-primary', context)).rejects.toThrow('It stops.');
  expect(asked).toBeGreaterThan(0);
  expect(machine.state).toBe('serving');
  expect(json.phase.read()).toMatchObject({
    phase: 'json-primary',
    sealed: false,
    committing: null,
  });
  const { signal: _, now: __, ...rest } = context;
  const sentence = 'The environments disagree, so no switch starts.';
  const apart = { ...rest, now: () => new Date(), disagreement: sentence };
  expect(await walkTo('postgres-primary', apart)).toEqual({
    ...{ effective: 'json-primary', waitingFor: sentence },
  });
  const again = { ...rest, machine: new SwitchMachine(), now: () => new Date() };
  expect((await walkTo('postgres-primary', again)).effective).toBe('postgres-primary');
});
