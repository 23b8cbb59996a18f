import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import type { Collection } from '../collections/index.ts';
import type { StoreReads } from '../store.ts';
import { openDualStores } from '../testing/dual-stores.ts';
import { create, expense, income } from '../testing/store-fixture.ts';
import { Patience } from './patience.ts';

const PATIENCE_MS = 100;

/** The same store; comparing a collection of it takes longer than anybody's patience. */
function readSlowly(store: StoreReads): StoreReads {
  return new Proxy(store, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'digests') return value.bind(target);
      return async (collection: Collection, from: number, to: number) => {
        await sleep(2 * PATIENCE_MS);
        return store.digests(collection, from, to);
      };
    },
  });
}

test('a run that reads for longer than it has patience still finds what differs', async () => {
  const dual = await openDualStores('json-primary');
  onTestFinished(() => dual.drop());
  for (const collection of [expense, income]) await create(dual.json, {}, collection);
  await dual.replicated();
  await dual.pool.query('DELETE FROM expenses; DELETE FROM incomes');
  const { counts } = await dual.compare('json', {
    primary: readSlowly(dual.json),
    patienceMs: PATIENCE_MS,
    // The queue has everything by the second question.
    mark: async () => {
      let asked = 0;
      return async () => ++asked > 1;
    },
  });
  expect(counts).toMatchObject({ divergent: 2, 'in-flight': 0 });
});

test('what never rests leaves patience for the looks after it', async () => {
  const patience = new Patience(PATIENCE_MS, undefined);
  const restless = async () => {
    let attempts = 0;
    await patience.during(async (wait) => {
      for (; !wait.isOver; attempts++) await wait.pause(attempts);
    });
    return attempts;
  };
  expect(await restless()).toBeGreaterThan(0);
  expect(await restless()).toBeGreaterThan(0);
});
