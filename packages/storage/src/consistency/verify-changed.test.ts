import { afterEach, beforeEach, expect, test } from 'vitest';
import { thinOutDirtyRanges, verifyRuns } from '../postgres/index.ts';
import type { StoreReads } from '../store.ts';
import { type DualStores, openDualStores } from '../testing/dual-stores.ts';
import { changeOf, expense, expenseText, run, setOf } from '../testing/store-fixture.ts';

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
  expect(asked).toEqual([]);

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
    ...['digests 1 4', 'digests 19 20', 'digests 878 879', 'digests 6835 6836'],
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
  await dual.json.dirty.take();
  await dual.json.dirty.done(0, new Map());
  await dual.pool.query('DELETE FROM pgboss.job');
  expect(idsOf(await changed())).toEqual([1029, 2053]);
});

test('a full run that was cut off goes on where it was; a table without its triggers is read whole', async () => {
  await filledAndCompared();
  const runs = verifyRuns(dual.pool);
  const id = await runs.begin({
    ...{ startedAt: new Date().toISOString(), primary: 'json', mode: 'full' },
    watermark: { epoch: 2, outboxSeq: 0 },
  });
  await runs.reached(id, { collection: 'expense', range: 30, seen: 30 });
  await dual.pool.query(`UPDATE expenses SET notes = 'typed' WHERE id = 1029`);
  const asked: string[] = [];
  const resumed = await dual.compare('json', { primary: watched(dual.json, asked) });
  expect(idsOf(resumed)).toEqual([1029]);
  const digests = asked.filter((name) => name.startsWith('digests'));
  expect(digests.slice(0, 2)).toEqual(['digests 1 2', 'digests 30 94']);
  await dual.pool.query('ALTER TABLE expenses DISABLE TRIGGER expenses_mark_updated');
  await dual.pool.query(`UPDATE expenses SET notes = 'unseen' WHERE id = 2053`);
  expect(idsOf(await changed())).toEqual([1029, 2053]);
});

test('many marks are thinned out to one a range, and none is lost', async () => {
  await filledAndCompared();
  await dual.pool.query(`
    INSERT INTO dirty_ranges (collection, range)
    SELECT 'expense', n % 7 FROM generate_series(1, 20001) AS n`);
  await thinOutDirtyRanges(dual.pool);
  const { rows } = await dual.pool.query('SELECT count(*)::int AS marks FROM dirty_ranges');
  expect(rows).toEqual([{ marks: 7 }]);
});
