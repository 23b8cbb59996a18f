import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Change } from '../changes/index.ts';
import type { JsonStore } from '../json/index.ts';
import { freshDirectory, open } from '../testing/json-fixture.ts';
import { type OpenedPostgres, openTestStore } from '../testing/postgres-fixture.ts';
import {
  allEntries,
  changeOf,
  create,
  expense,
  expenseText,
  income,
  run,
  setOf,
} from '../testing/store-fixture.ts';
import { bringUpToDate, type CatchUpOptions, describeDifferences } from './index.ts';

let opened: OpenedPostgres;
let json: JsonStore;

beforeAll(async () => {
  opened = await openTestStore('postgres-only');
});
beforeEach(async () => {
  const { pool } = opened.database;
  await pool.query('TRUNCATE expenses, incomes, tombstones, idempotency_keys, divergences');
  json = await open(await freshDirectory());
});
afterAll(() => opened.close());

const towardsPostgres = (options: Partial<CatchUpOptions> = {}) =>
  bringUpToDate({
    source: json,
    target: opened.store,
    collections: opened.collections,
    ...options,
  });

async function equalStores(): Promise<void> {
  for (const collection of [expense, income]) {
    expect(await allEntries(opened.store, 100, collection)).toEqual(
      await allEntries(json, 100, collection),
    );
  }
  expect(await opened.store.scanKeys('', 100)).toEqual(await json.scanKeys('', 100));
}

const applyTo = (change: Change) => opened.store.apply([{ kind: 'change', change }]);
const stamp = (epoch: number, version: number) => ({ epoch, version });

describe('I6: what the source has', () => {
  test('records, changes, deletions and keys arrive, and a second run finds nothing to do', async () => {
    for (let n = 0; n < 30; n += 1) await create(json, { notes: `n ${n}` });
    await create(json, {}, income);
    await run(json, { op: 'delete', collection: expense, id: 7 });
    await json.write({
      command: { op: 'update', collection: expense, id: 3, set: setOf({ amount: '-0.05' }) },
      key: { key: 'k', fingerprint: 'f' },
    });
    const first = await towardsPostgres();
    expect(first).toMatchObject({ seen: 31, applied: 31, keysApplied: 1, remaining: 0 });
    await equalStores();
    expect(await towardsPostgres()).toMatchObject({ seen: 31, applied: 0, keysApplied: 0 });

    // And the other way round, of what only the other side has.
    await create(opened.store, { notes: 'from PostgreSQL' });
    const back = await bringUpToDate({
      source: opened.store,
      target: json,
      collections: opened.collections,
    });
    expect(back).toMatchObject({ applied: 1, remaining: 0 });
    await equalStores();
  });

  test('a run cut off anywhere is finished by the next', async () => {
    // More than the batches that may be under way: the first is stored before the last is read.
    const all = 60_000;
    const ids = Array.from({ length: all }, (_, n) => n + 1);
    await json.apply(
      ids.map((id) => ({
        kind: 'change',
        change: changeOf(id, stamp(1, 1), null, expenseText(id, 'x')),
      })),
    );
    const cut = new AbortController();
    const run = towardsPostgres({
      signal: cut.signal,
      onProgress: ({ applied }) => applied > 0 && cut.abort(),
    });
    await expect(run).rejects.toThrow();
    const there = await opened.store.count(expense);
    expect(there).toBeGreaterThan(0);
    expect(there).toBeLessThan(all);
    expect(await towardsPostgres()).toMatchObject({ applied: all - there, remaining: 0 });
    await equalStores();
  });
});

describe('what the target has otherwise is reported, and left as it is', () => {
  test('an extra record, a newer one, one of the same stamp, one of a longer chain', async () => {
    for (let n = 0; n < 4; n += 1) await create(json, { notes: 'ours' });
    await run(json, {
      op: 'update',
      collection: expense,
      id: 4,
      set: setOf({ notes: 'ours too' }),
    });
    await applyTo(changeOf(9, stamp(1, 1), null, expenseText(9, 'extra')));
    await applyTo(changeOf(2, stamp(1, 2), stamp(1, 1), expenseText(2, 'newer')));
    await applyTo(changeOf(3, stamp(1, 1), null, expenseText(3, 'other')));
    await applyTo(changeOf(4, stamp(0, 5), stamp(0, 4), expenseText(4, 'longer chain')));
    const before = await allEntries(opened.store, 100);
    const report = await towardsPostgres();
    expect(report.differences.map(({ id, kind }) => [id, kind])).toEqual([
      [2, 'ahead'],
      [3, 'conflict'],
      [9, 'extra'],
      [4, 'fork'],
    ]);
    expect(report).toMatchObject({ applied: 1, remaining: 4 });
    const after = await allEntries(opened.store, 100);
    expect(after.filter(({ id }) => id !== 1)).toEqual(before);
    expect(describeDifferences(report)).toBe(
      '4 differences remain: expense 2 (ahead), expense 3 (conflict), expense 9 (extra) and 1 more',
    );
  });

  test('I2: what the target cannot hold is handed over, so that it can stand as a dead letter', async () => {
    await create(json, { notes: 'fine' });
    await create(json, { notes: 'poisoned' });
    const { pool } = opened.database;
    await pool.query(`ALTER TABLE expenses ADD CONSTRAINT poison CHECK (notes <> 'poisoned')`);
    try {
      const rejected: Change[] = [];
      const report = await towardsPostgres({
        onRejected: async (changes) => {
          rejected.push(...changes);
        },
      });
      expect(report).toMatchObject({
        applied: 1,
        remaining: 1,
        differences: [{ id: 2, kind: 'rejected', detail: expect.stringContaining('poison') }],
      });
      expect(rejected).toMatchObject([{ id: 2, op: 'create', ...stamp(1, 1) }]);
    } finally {
      await pool.query('ALTER TABLE expenses DROP CONSTRAINT poison');
    }
  });
});
