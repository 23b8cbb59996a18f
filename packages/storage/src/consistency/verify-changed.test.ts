import { afterEach, beforeEach, expect, test } from 'vitest';
import { DirtyRanges } from '../json/dirty-ranges.ts';
import {
  dirtyRanges,
  openPostgresStore,
  thinOutDirtyRanges,
  verifiedLast,
  verifyRuns,
} from '../postgres/index.ts';
import type { StoreReads } from '../store.ts';
import { type DualStores, openDualStores } from '../testing/dual-stores.ts';
import { changeOf, expense, expenseText, run, setOf, valuesOf } from '../testing/store-fixture.ts';
import { noMarks } from './dirty-ranges.ts';
import { noLedger } from './divergence-ledger.ts';

let dual: DualStores;
beforeEach(async () => {
  dual = await openDualStores('json-primary');
});
afterEach(() => dual.drop());

/** A record of each of 40 ranges, in both stores, and compared. */
async function filledAndCompared(): Promise<void> {
  const changes = Array.from({ length: 40 }, (_, range) => {
    const id = range * 1_024 + 5;
    return changeOf(id, { epoch: 1, version: 1 }, null, expenseText(id, `n${range}`));
  });
  const items = changes.map((change) => ({ kind: 'change' as const, change }));
  await dual.json.apply(items);
  await dual.store.apply(items);
  expect(await dual.compare('json')).toMatchObject({ outcome: 'clean', seen: 40 });
}

const changed = () => dual.compare('json', { mode: 'changed' });
const idsOf = ({ differences }: Awaited<ReturnType<typeof changed>>) =>
  differences.map(({ subject }) => ('key' in subject ? subject.key : subject.id)).toSorted();

/** Notes which ranges a store is asked about. */
function watched(store: StoreReads, asked: string[]): StoreReads {
  return new Proxy(store, {
    get(target, name: keyof StoreReads) {
      const member = target[name];
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        asked.push(`${name} ${args.slice(1, 3).join(' ')}`.trim());
        return (member as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

test('what was typed into psql, or put into the JSON store, is found by its range; without a change nothing is read', async () => {
  await filledAndCompared();
  const asked: string[] = [];
  const quiet = { mode: 'changed' as const, primary: watched(dual.json, asked) };
  expect(await dual.compare('json', quiet)).toMatchObject({
    outcome: 'clean',
    seen: 0,
    keysSeen: 0,
  });
  expect(asked).toEqual(['keysSince']);

  await dual.pool.query(`
    UPDATE expenses SET notes = 'typed' WHERE id = 1029;
    DELETE FROM expenses WHERE id = 2053;
    UPDATE expenses SET id = 20000 WHERE id = 3077;
    INSERT INTO expenses (id, date, category, amount, account) VALUES (900000, '2025-01-01', 'x', 1, 'y')`);
  const late = changeOf(7_000_000, { epoch: 2, version: 1 }, null, expenseText(7_000_000, 'late'));
  await dual.json.apply([{ kind: 'change', change: late }]);
  const found = await dual.compare('json', quiet);
  expect(idsOf(found)).toEqual([1029, 20000, 2053, 3077, 7000000, 900000]);
  expect(found).toMatchObject({ outcome: 'differences', mode: 'changed' });
  expect(asked.filter((name) => name.startsWith('digests'))).toEqual([
    ...['digests 1 3', 'digests 3 4', 'digests 19 20', 'digests 878 879', 'digests 6835 6836'],
  ]);

  // They stand until they are mended, though no range is dirty any more.
  expect(idsOf(await changed())).toHaveLength(6);
  await dual.pool.query(`
    UPDATE expenses SET notes = 'n1' WHERE id = 1029; DELETE FROM expenses WHERE id = 900000;
    UPDATE expenses SET id = 3077 WHERE id = 20000`);
  expect(idsOf(await changed())).toEqual([2053, 7000000]);
  dual.relay();
  dual.work('postgres');
  await dual.repair('json', { scope: { collection: 'expense', id: 2053 } });
  await dual.repair('json', { scope: { collection: 'expense', id: 7_000_000 } });
  expect(await changed()).toMatchObject({ outcome: 'clean' });
  await dual.pool.query('TRUNCATE expenses');
  expect((await changed()).counts.divergent).toBe(41);
});

test('no mark is lost: what a run that died had taken, what could not be decided, what was never delivered', async () => {
  await filledAndCompared();
  await dual.pool.query(`UPDATE expenses SET notes = 'typed' WHERE id = 1029`);
  const dying = dual.compare('json', {
    mode: 'changed',
    explanations: {
      ofRecords: () => Promise.reject(new Error('The process was killed.')),
      ofKeys: () => Promise.reject(new Error('The process was killed.')),
    },
  });
  await expect(dying).rejects.toThrow('The process was killed.');
  expect(idsOf(await changed())).toEqual([1029]);
  // The change waits in the journal, then in the queue: its range stays dirty.
  await run(dual.json, {
    op: 'update',
    collection: expense,
    id: 2053,
    set: setOf({ notes: 'new' }),
  });
  const early = await dual.compare('json', { mode: 'changed', patienceMs: 100 });
  // What waits in the journal could explain the other one, too.
  expect(early.counts).toMatchObject({ 'in-flight': 2 });
  await dual.relay().stop({ drainTimeoutMs: 20_000 });
  // A job that is lost, as by a restored database, leaves the mark that the relay made.
  await dual.json.dirty.take(0);
  await dual.json.dirty.done(0, new Map());
  await dual.pool.query('DELETE FROM pgboss.job');
  expect(idsOf(await changed())).toEqual([1029, 2053]);
});

test('I10: a key that was never delivered is found by the next cheap run, and again until it is there', async () => {
  const keyed = (key: string) =>
    dual.json.write({
      command: { op: 'create', collection: expense, values: valuesOf() },
      key: { key, fingerprint: 'f' },
    });
  await keyed('arrived');
  await dual.replicated();
  expect(await dual.compare('json')).toMatchObject({ outcome: 'clean', keysSeen: 1 });
  await keyed('in the journal');
  expect(await dual.compare('json', { mode: 'changed', patienceMs: 0 })).toMatchObject({
    ...{ outcome: 'inconclusive', keysSeen: 2 },
  });
  const { rows } = await dual.pool.query<{ open: boolean }>(
    `SELECT max(keys_until) = min(keys_until) AS open FROM verify_runs`,
  );
  expect(rows).toEqual([{ open: true }]);
  await dual.replicated();
  await dual.pool.query(`DELETE FROM idempotency_keys WHERE key = 'in the journal'`);
  const found = await changed();
  expect(idsOf(found)).toEqual(['in the journal']);
  expect(found).toMatchObject({ outcome: 'differences', counts: { divergent: 1 } });
  dual.relay();
  dual.work('postgres');
  await dual.repair('json', { scope: { runId: found.id } });
  expect(await changed()).toMatchObject({ outcome: 'clean' });
  // A run by a clock that has been set back since says nothing of the keys that were given afterwards.
  const ahead = () => new Date(Date.now() + 3_600_000);
  expect(await dual.compare('json', { now: ahead })).toMatchObject({ outcome: 'clean' });
  await keyed('after the clock was set back');
  await dual.replicated();
  await dual.pool.query(`DELETE FROM idempotency_keys WHERE key LIKE 'after%'`);
  expect(idsOf(await changed())).toEqual(['after the clock was set back']);
});

test('parts are small while somebody may write, of dirty ranges as well; where nobody does they grow', async () => {
  await filledAndCompared();
  const digestsOf = async (given: Parameters<typeof dual.compare>[1]) => {
    const asked: string[] = [];
    await dual.compare('json', { ...given, primary: watched(dual.json, asked) });
    return asked.filter((name) => name.startsWith('digests')).slice(0, 3);
  };
  const typed = "UPDATE expenses SET notes = 'typed' WHERE id < 12000";
  await dual.pool.query(typed);
  const changedOnly = { mode: 'changed' } as const;
  expect(await digestsOf(changedOnly)).toEqual(['digests 0 2', 'digests 2 4', 'digests 4 6']);
  await dual.pool.query(typed);
  const idle = { ...changedOnly, writes: () => 0 };
  expect(await digestsOf(idle)).toEqual(['digests 0 2', 'digests 2 12']);
});

test('a full run that was cut off goes on where it was; a table without its triggers is read whole', async () => {
  await filledAndCompared();
  const runs = verifyRuns(dual.pool);
  const id = await runs.begin({
    ...{ startedAt: new Date().toISOString(), primary: 'json', mode: 'full', isFollowed: true },
    watermark: { epoch: 2, outboxSeq: 0 },
  });
  await runs.reached(id, { collection: 'expense', range: 30, seen: 30 });
  await dual.pool.query(`UPDATE expenses SET notes = 'typed' WHERE id = 1029`);
  const asked: string[] = [];
  const resumed = await dual.compare('json', { primary: watched(dual.json, asked) });
  expect(idsOf(resumed)).toEqual([1029]);
  const digests = asked.filter((name) => name.startsWith('digests'));
  expect(digests.slice(0, 2)).toEqual(['digests 1 2', 'digests 30 32']);
  await dual.pool.query('ALTER TABLE expenses DISABLE TRIGGER expenses_mark_updated');
  await dual.pool.query(`UPDATE expenses SET notes = 'unseen' WHERE id = 2053`);
  expect(idsOf(await changed())).toEqual([1029, 2053]);
  await dual.pool.query('ALTER TABLE expenses ENABLE ALWAYS TRIGGER expenses_mark_updated');
  const marks = dirtyRanges(dual.pool, dual.collections);
  const taken = async () => [...(await marks.take(0))].filter(([, part]) => part === 'all');
  await marks.done(0, new Map());
  expect(await taken()).toEqual([]);
  await dual.pool.query(`
    INSERT INTO tombstones VALUES ('income', 7, 1, 1, now()); TRUNCATE tombstones`);
  expect(await taken()).toEqual([['income', 'all']]);
  await marks.done(0, new Map());
  await dual.pool.query('DROP TRIGGER tombstones_mark_deleted ON tombstones');
  expect((await taken()).map(([name]) => name).toSorted()).toEqual(['expense', 'income']);
});

test('a run beside a catch-up counts for nobody: none goes on behind it, no gate opens by it', async () => {
  await filledAndCompared();
  const runs = verifyRuns(dual.pool);
  await dual.pool.query('DELETE FROM verify_runs');
  const startedAt = new Date().toISOString();
  const id = await runs.begin({
    ...{ startedAt, primary: 'json', mode: 'full', isFollowed: false },
    watermark: { epoch: 2, outboxSeq: 0 },
  });
  await runs.reached(id, { collection: 'expense', range: 30, seen: 30 });
  expect(await runs.cutOff('json', 2)).toBeUndefined();
  const beside = { isFollowed: false, marks: noMarks, ledger: noLedger };
  expect(await dual.compare('json', beside)).toMatchObject({ outcome: 'clean', seen: 40 });
  expect(await runs.sinceFull('json', 2)).toBeNull();
  expect(await runs.keysUntil('json', 2)).toBeNull();
  expect(await verifiedLast(dual.pool, 'json')).toBeNull();
  await dual.compare('json');
  expect(await runs.keysUntil('json', 2)).not.toBeNull();
  expect(await verifiedLast(dual.pool, 'json')).toMatchObject({ outcome: 'clean' });
});

test('what a run took is forgotten by that run alone', async () => {
  const dirty = new DirtyRanges();
  dirty.mark('expense', 5);
  await dirty.take(1);
  expect(await dirty.take(2)).toEqual(new Map([['expense', new Set([0])]]));
  await dirty.done(1, new Map());
  expect((await dirty.take(3)).size).toBe(1);
  await dirty.done(3, new Map());
  expect((await dirty.take(4)).size).toBe(0);
});

test('many marks are thinned out to one a range, and none is lost', async () => {
  await filledAndCompared();
  const marks = async () => {
    const counted = 'SELECT count(*)::int AS marks FROM dirty_ranges';
    return (await dual.pool.query<{ marks: number }>(counted)).rows[0]?.marks;
  };
  const many = `
    INSERT INTO dirty_ranges (collection, range)
    SELECT 'expense', n % 7 FROM generate_series(1, 20001) AS n`;
  await dual.pool.query(many);
  await thinOutDirtyRanges(dual.pool);
  expect(await marks()).toBe(7);
  // Without a worker the store does it, beside what it is given.
  let nowMs = Date.now();
  const jobs = { insert: async () => {} };
  const { pool, collections } = dual;
  const store = openPostgresStore({ pool, collections, jobs, now: () => new Date(nowMs) });
  await dual.pool.query(many);
  nowMs += 61_000;
  await store.apply([]);
  await store.close();
  expect(await marks()).toBe(7);
});
