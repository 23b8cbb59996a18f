import { expect, onTestFailed, onTestFinished, test } from 'vitest';
import { freshReads, openJsonSnapshot } from '../json/index.ts';
import type { StoreName } from '../phase/index.ts';
import { readRelayedSeq } from '../postgres/index.ts';
import type { Store } from '../store.ts';
import { type DualStores, openDualStores } from '../testing/dual-stores.ts';
import {
  create,
  expense,
  randomFrom,
  run,
  seedOf,
  setOf,
  valuesOf,
} from '../testing/store-fixture.ts';
import { until } from '../testing/until.ts';
import { queuedByRelay } from './verify-run.ts';

const WRITERS = 6;
const RUNS = 2;

/** Changes on their way beyond which the writers wait: stores write faster than a queue delivers. */
const LAG_MAX = 150;

/** Writes until it is told to stop: creations (some keyed), updates of hot and cold records, deletions. */
function writeBeside(dual: DualStores, store: Store, random: () => number): () => Promise<number> {
  let going = true;
  let writes = 0;
  const one = async (writer: number) => {
    for (let round = 0; going; round++) {
      const id = random() < 0.3 ? 1 + Math.floor(random() * 5) : 1 + Math.floor(random() * 400);
      const dice = random();
      if (dice < 0.35) await create(store, { notes: `${writer}-${round}` });
      else if (dice < 0.5) {
        const values = valuesOf();
        const key = { key: `${writer}-${round}`, fingerprint: 'f' };
        await store.write({ command: { op: 'create', collection: expense, values }, key });
      } else if (dice < 0.85) {
        const set = setOf({ notes: `${writer}-${round} again` });
        await run(store, { op: 'update', collection: expense, id, set });
      } else await run(store, { op: 'bulk-delete', collection: expense, ids: [id + 5] });
      writes += 1;
      if (round % 10 === 0) await until('it catches up', async () => (await dual.lag()) < LAG_MAX);
    }
  };
  const writers = Array.from({ length: WRITERS }, (_, writer) => one(writer));
  return async () => {
    going = false;
    await Promise.all(writers);
    return writes;
  };
}

async function openLive(phase: 'json-primary' | 'postgres-primary'): Promise<DualStores> {
  const dual = await openDualStores(phase);
  onTestFinished(() => dual.drop());
  if (phase === 'json-primary') dual.relay();
  dual.work(phase === 'json-primary' ? 'postgres' : 'json');
  return dual;
}

const CASES: [StoreName, 'json-primary' | 'postgres-primary'][] = [
  ['json', 'json-primary'],
  ['postgres', 'postgres-primary'],
];

for (const [primary, phase] of CASES) {
  test(`${phase}: under live writes nothing sound is called different, and what is planted is`, async () => {
    const seed = seedOf();
    onTestFailed(() => console.error(`TANDEM_SEED=${seed}`));
    const dual = await openLive(phase);
    const store = primary === 'json' ? dual.json : dual.store;
    await Promise.all(Array.from({ length: 500 }, () => create(store)));
    const stop = writeBeside(dual, store, randomFrom(seed));
    for (let n = 0; n < RUNS; n++) {
      const { counts } = await dual.compare(primary, { patienceMs: 800 });
      expect({ ...counts, 'in-flight': 0 }).toEqual({
        ...{ 'in-flight': 0, 'dead-lettered': 0, 'mapping-error': 0, fork: 0, conflict: 0 },
        divergent: 0,
      });
    }
    // No writer touches these ids.
    await dual.pool.query(`UPDATE expenses SET notes = 'typed' WHERE id = 450`);
    if (primary === 'json') await dual.pool.query('DELETE FROM expenses WHERE id = 460');
    else await dual.pool.query('UPDATE expenses SET version = version + 1 WHERE id = 460');
    const planted = [
      { class: 'conflict', subject: { collection: 'expense', id: 450 } },
      { class: 'divergent', subject: { collection: 'expense', id: 460 } },
    ];
    // A run whose patience ended before the queue had caught up calls them in flight.
    await until('both are found', async () => {
      const { differences } = await dual.compare(primary, { patienceMs: 800 });
      const lasting = differences.filter((one) => one.class !== 'in-flight');
      const found = lasting.map((one) => ({ class: one.class, subject: one.subject }));
      expect(planted).toEqual(expect.arrayContaining(found));
      return found.length === planted.length;
    });
    expect(await stop()).toBeGreaterThan(100);
    const atRest = await dual.compare(primary);
    expect(atRest.counts).toMatchObject({ 'in-flight': 0, conflict: 1, divergent: 1 });
  });
}

test('beside the holder, over a snapshot of the JSON primary, it is the same', async () => {
  const seed = seedOf();
  onTestFailed(() => console.error(`TANDEM_SEED=${seed}`));
  const dual = await openLive('json-primary');
  const { directory, collections, pool, json } = dual;
  await Promise.all(Array.from({ length: 100 }, () => create(json)));
  const stop = writeBeside(dual, json, randomFrom(seed));
  const snapshot = await openJsonSnapshot({ directory, collections });
  onTestFinished(() => snapshot.close());
  const relayed = () => readRelayedSeq(pool, snapshot.phase.pairId);
  const head = async () => {
    await snapshot.refresh();
    return snapshot.head;
  };
  const options = { primary: freshReads(snapshot), mark: queuedByRelay(head, relayed) };
  for (let n = 0; n < RUNS; n++) {
    if (n % 2 === 1) await json.checkpoint();
    const { counts } = await dual.compare('json', { ...options, patienceMs: 800 });
    expect(Object.values({ ...counts, 'in-flight': 0 }).every((count) => count === 0)).toBe(true);
  }
  await stop();
  expect(await dual.compare('json', options)).toMatchObject({ outcome: 'clean' });
});
