import { expect, onTestFinished, test } from 'vitest';
import { CatchUpWatch } from '../consistency/index.ts';
import { silentLog } from '../log.ts';
import { relayCursor, storageError } from '../postgres/index.ts';
import { createQueueUpkeep, createRelayedJournal } from '../replication/index.ts';
import type { Store } from '../store.ts';
import { openDualStores } from '../testing/dual-stores.ts';
import { changeOf, create, expense, expenseText, run, setOf } from '../testing/store-fixture.ts';
import { pullBrake } from './brake.ts';
import { mend } from './mend.ts';

const RECORDS = 3_000;

/** Notes what it is told, and rests as always. */
class NotedWatch extends CatchUpWatch {
  readonly begun: { towards: Store['name']; total: number }[] = [];
  readonly reachedAt: number[] = [];
  rests = 0;

  override began(towards: Store['name'], total: number): () => void {
    this.begun.push({ towards, total });
    return super.began(towards, total);
  }

  override reached(done: number): void {
    this.reachedAt.push(done);
    super.reached(done);
  }

  override rest(signal?: AbortSignal): Promise<void> {
    this.rests++;
    return super.rest(signal);
  }
}

test('I4, I5: after the brake many records come back under live writes, told and paced by the watch; a fork is kept', async () => {
  const dual = await openDualStores('postgres-primary');
  onTestFinished(() => dual.drop());
  const { json, store: postgres, queues, collections } = dual;
  const shared = await create(postgres, { notes: 'in both' });
  const stamp = { epoch: shared.epoch, version: shared.version };
  const own = changeOf(shared.id, stamp, null, shared.text);
  await json.apply([{ kind: 'change', change: own }]);
  await pullBrake(json, new Date(), silentLog);
  // What PostgreSQL acknowledged behind the brake's back, the record in both among it.
  const theirs = Array.from({ length: RECORDS }, (_, n) =>
    changeOf(10 + n, { epoch: 2, version: 1 }, null, expenseText(10 + n, 'theirs')),
  );
  const forked = expenseText(shared.id, 'theirs, too');
  const fork = changeOf(shared.id, { epoch: 2, version: 2 }, stamp, forked);
  await postgres.apply([...theirs, fork].map((change) => ({ kind: 'change', change })));
  const set = setOf({ notes: 'ours' });
  await run(json, { op: 'update', collection: expense, id: shared.id, set });

  const watch = new NotedWatch(silentLog);
  const journal = createRelayedJournal({
    ...{ outbox: json.outbox, pool: queues.pool, cursor: relayCursor },
    pairId: () => json.phase.read().pairId,
  });
  const stores = { json, postgres };
  let over = false;
  const live = (async () => {
    let written = 0;
    for (; !over; written++) await create(json, { notes: 'meanwhile' });
    return written;
  })();
  await mend(
    {
      ...{ json, postgres, collections, watch, log: silentLog },
      queues: createQueueUpkeep({
        ...{ queues, stores, collections, journal, log: silentLog },
        operatingError: storageError,
      }),
      ...{ actor: 'test', reason: 'the test asks', now: () => new Date() },
    },
    false,
  );
  over = true;
  const written = await live;
  expect(written).toBeGreaterThan(0);
  expect(watch.begun.filter(({ towards }) => towards === 'json')).toHaveLength(1);
  expect(watch.begun[0]?.total).toBeGreaterThan(RECORDS);
  expect(watch.reachedAt.at(-1)).toBeGreaterThanOrEqual(RECORDS);
  expect(watch.rests).toBeGreaterThan(0);
  expect(watch.current).toBeUndefined();
  expect(json.phase.read()).toMatchObject({ phase: 'json-primary', braked: null });
  expect(await json.count(expense)).toBe(RECORDS + 1 + written);
  expect((await json.get(expense, shared.id))?.text).toContain('"ours"');
  expect((await postgres.get(expense, shared.id))?.text).toBe(forked);
  expect(await postgres.phase.undecided()).toBe(1);
});
