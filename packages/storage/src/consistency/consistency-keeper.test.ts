import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../log.ts';
import { consistencyOrders, dirtyRanges, divergenceLedger, verifyRuns } from '../postgres/index.ts';
import { createExplanations, dropDecidedLetters } from '../replication/index.ts';
import { type DualStores, openDualStores } from '../testing/dual-stores.ts';
import { create } from '../testing/store-fixture.ts';
import { until } from '../testing/until.ts';
import { keepConsistency } from './consistency-keeper.ts';
import { alwaysQueued, type VerifyRuns } from './verify-run.ts';

let dual: DualStores;
beforeEach(async () => {
  dual = await openDualStores('postgres-primary');
});
afterEach(() => dual.drop());

const DAY_MS = 24 * 3_600_000;

/** Keeps the stores by a schedule whose full runs are a day apart. */
function keep(runs: VerifyRuns) {
  const { pool, store, json, collections } = dual;
  return keepConsistency({
    ...{ primary: store, secondary: json, collections, mark: alwaysQueued, log: silentLog },
    ...{ explanations: createExplanations(pool, 'json'), runs },
    ...{ ledger: divergenceLedger(pool), orders: consistencyOrders(pool) },
    marks: dirtyRanges(pool, collections),
    dropDecided: (collection, ids) => dropDecidedLetters(pool, 'json', collection, ids),
    watermark: () => ({ epoch: 2, outboxSeq: 0 }),
    epochNow: async () => 2,
    notNow: async () => undefined,
    backfill: () => Promise.reject(new Error('Nobody asks for it here.')),
    ...{ schedule: { changedMs: 50, fullMs: DAY_MS }, holder: 'test' },
  });
}

test('what left no mark is found, although no process lives for a day and the first attempt fails', async () => {
  await create(dual.store);
  await dual.work('json').stop({ drainTimeoutMs: 20_000 });
  const runs = verifyRuns(dual.pool);
  expect((await dual.compare('postgres', { mode: 'changed' })).outcome).toBe('clean');
  // As a restore of one table's data does it.
  await dual.pool.query(`ALTER TABLE expenses DISABLE TRIGGER ALL;
    UPDATE expenses SET notes = 'unmarked'; ALTER TABLE expenses ENABLE TRIGGER ALL`);
  expect((await dual.compare('postgres', { mode: 'changed' })).outcome).toBe('clean');
  expect(await runs.sinceFull('postgres', 2)).toBeNull();
  let failures = 0;
  const keeper = keep({
    ...runs,
    begin(run) {
      if (run.mode !== 'full' || failures++ > 0) return runs.begin(run);
      return Promise.reject(new Error('The connection was cut.'));
    },
  });
  try {
    const ledger = divergenceLedger(dual.pool);
    await until('it is found', async () => (await ledger.find({}, { limit: 1 })).length > 0);
    await until('the run has ended', async () => (await runs.sinceFull('postgres', 2)) !== null);
  } finally {
    await keeper.stop();
  }
  expect(await runs.sinceFull('postgres', 2)).toBeLessThan(DAY_MS);
  expect(await runs.sinceFull('postgres', 3)).toBeNull();
  expect(await runs.sinceFull('json', 2)).toBeNull();
});
