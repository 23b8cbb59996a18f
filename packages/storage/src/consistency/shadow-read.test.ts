import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../log.ts';
import { noObserver, type ShadowRead } from '../observer.ts';
import { divergenceLedger, readRelayedSeq, relayCursor } from '../postgres/index.ts';
import { createExplanations, createRelayedJournal } from '../replication/index.ts';
import type { StoreReads } from '../store.ts';
import { type DualStores, openDualStores } from '../testing/dual-stores.ts';
import { create, expense, run, setOf } from '../testing/store-fixture.ts';
import { until } from '../testing/until.ts';
import { type ShadowedStores, ShadowReads } from './shadow-read.ts';
import { queuedByRelay } from './verify-run.ts';

let dual: DualStores;
let shadow: ShadowReads;
let reads: ShadowRead[];
/** Whether the phase is a dual one, and how often that was asked. */
let isDual: boolean;
let asked: number;
beforeEach(async () => {
  isDual = true;
  asked = 0;
  dual = await openDualStores('json-primary');
  reads = [];
});
afterEach(async () => {
  await shadow.stop();
  await dual.drop();
});

/** Shadows every read of the JSON primary on `secondary`, and looks again often. */
function shadowing(secondary: StoreReads = dual.store): void {
  const { json, pool, collections } = dual;
  const { pairId } = json.phase.read();
  const stores = (): ShadowedStores => ({
    ...{ primary: json, secondary, epoch: 2 },
    explanations: createExplanations(pool, 'postgres'),
    mark: queuedByRelay(
      async () => json.outbox.head(),
      () => readRelayedSeq(pool, pairId),
    ),
  });
  shadow = new ShadowReads({
    ...{ rate: 1, collections, log: silentLog, lookIntervalMs: 20 },
    reports: divergenceLedger(pool),
    observer: { ...noObserver, shadowRead: (read) => reads.push(read) },
    stores() {
      asked += 1;
      return isDual ? stores() : undefined;
    },
  });
  shadow.start();
}

/** Reads as a request does. */
async function get(id: number): Promise<void> {
  shadow.got(expense, id, await dual.json.get(expense, id), 0.001);
}
const page = async (limit: number): Promise<void> =>
  shadow.paged(expense, { limit }, await dual.json.page(expense, { limit }), 0.001);

const ends = () => reads.map(({ op, end }) => `${op} ${end}`);
const told = (count: number) => until(`${count} reads`, async () => reads.length >= count);
const listed = () => divergenceLedger(dual.pool).find({}, { limit: 10 });

test('a secondary that lags is no mismatch, however long it lags; what it holds is equal', async () => {
  shadowing();
  const { id } = await create(dual.json);
  await get(id);
  await page(10);
  await told(2);
  expect(ends().sort()).toEqual(['get lag', 'page lag']);
  // The second look comes again and again, and finds the change on its way.
  await dual.relay().stop({ drainTimeoutMs: 10_000 });
  await get(id);
  await told(3);
  await until('the queue', async () => (await dual.lag()) === 1);
  await dual.replicated();
  reads = [];
  await get(id);
  await page(10);
  await get(999);
  await told(3);
  expect(ends().sort()).toEqual(['get equal', 'get equal', 'page equal']);
  expect(reads[0]?.seconds).toEqual({ json: 0.001, postgres: expect.any(Number) });
  expect(await listed()).toEqual([]);
});

test('what stands after the lag is a mismatch, and listed: edited, missing, and left over', async () => {
  const [edited, missing, extra] = [await create(dual.json), await create(dual.json), { id: 900 }];
  await dual.replicated();
  await dual.pool.query(`
    UPDATE expenses SET notes = 'typed' WHERE id = ${edited.id};
    DELETE FROM expenses WHERE id = ${missing.id};
    INSERT INTO expenses (id, date, category, amount, account, currency, epoch, version)
      VALUES (${extra.id}, '2025-12-07', 'x', 1, 'x', 'x', 1, 1)`);
  shadowing();
  for (const { id } of [edited, missing, extra]) await get(id);
  // At once by its version; the others by the second look.
  await until(
    'three mismatches',
    async () => ends().filter((one) => one === 'get mismatch').length === 3,
  );
  await until('three entries', async () => (await listed()).length === 3);
  const byId = new Map((await listed()).map((one) => ['id' in one.subject && one.subject.id, one]));
  expect(byId.get(edited.id)).toMatchObject({ class: 'conflict', foundBy: 'shadow-read' });
  expect(byId.get(missing.id)).toMatchObject({ kind: 'missing', into: 'postgres' });
  expect(byId.get(extra.id)).toMatchObject({ kind: 'extra' });
});

test('what the end of dual write leaves behind is no mismatch, although it is looked at just then', async () => {
  shadowing();
  const { id } = await create(dual.json);
  await get(id);
  await until('it is looked at', () => asked === 2);
  const { json, pool } = dual;
  isDual = false;
  await createRelayedJournal({
    ...{ outbox: json.outbox, pool, cursor: relayCursor, pairId: () => json.phase.read().pairId },
  }).skipTo(json.outbox.head());
  await until('the look is over', () => asked > 2);
  expect(ends()).toEqual(['get lag']);
  expect(await listed()).toEqual([]);
});

test('a record that goes on changing is never called a mismatch for it', async () => {
  const { id } = await create(dual.json);
  shadowing();
  dual.relay();
  dual.work('postgres');
  for (let n = 0; n < 60; n++) {
    await run(dual.json, { op: 'update', collection: expense, id, set: setOf({ notes: `${n}` }) });
    await get(id);
  }
  await told(60);
  await until('no lag', async () => (await dual.lag()) === 0);
  expect(reads.filter(({ end }) => end === 'mismatch' || end === 'failed')).toEqual([]);
  expect(await listed()).toEqual([]);
});

test('I5: a secondary that hangs holds four reads and no more; the others are dropped, at once', async () => {
  const { promise: never, reject } = Promise.withResolvers<never>();
  never.catch(() => undefined);
  shadowing({ ...dual.store, get: () => never });
  const { id } = await create(dual.json);
  for (let n = 0; n < 6; n++) await get(id);
  expect(ends()).toEqual(['get dropped', 'get dropped']);
  reject(new Error('The connection was given up.'));
  await told(6);
  expect(ends().slice(2)).toEqual(['get failed', 'get failed', 'get failed', 'get failed']);
});
