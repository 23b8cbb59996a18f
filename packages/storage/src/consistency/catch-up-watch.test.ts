import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshDirectory, open } from '../testing/json-fixture.ts';
import { type OpenedPostgres, openTestStore } from '../testing/postgres-fixture.ts';
import { changeOf, expense, expenseText } from '../testing/store-fixture.ts';
import { bringUpToDate, type CatchUpStatus, CatchUpWatch } from './index.ts';

let opened: OpenedPostgres;
beforeAll(async () => {
  opened = await openTestStore('postgres-only');
});
afterAll(() => opened.close());

const silent = () => {};
const log = { debug: silent, info: silent, warn: silent, error: silent };
const stamp = { epoch: 1, version: 1 };

test('a catch-up tells how far it is while it runs, and nothing afterwards', async () => {
  const json = await open(await freshDirectory());
  const ids = Array.from({ length: 9_000 }, (_, n) => n + 1);
  await json.apply(
    ids.map((id) => ({ kind: 'change', change: changeOf(id, stamp, null, expenseText(id, 'x')) })),
  );
  const watch = new CatchUpWatch(log);
  const seen: (CatchUpStatus | undefined)[] = [];
  expect([watch.current, watch.waitingFor]).toEqual([undefined, null]);
  await bringUpToDate({
    ...{ source: json, target: opened.store, collections: opened.collections, watch },
    onProgress: ({ total }) => {
      expect(total).toBe(9_000);
      seen.push(watch.current);
      expect(watch.waitingFor).toMatch(
        /^PostgreSQL to be brought up to date by difference: [\d,]+ of 9,000 \(\d+ %\)/,
      );
    },
  });
  expect(seen.length).toBeGreaterThan(3);
  for (const status of seen) expect(status).toMatchObject({ towards: 'postgres', total: 9_000 });
  expect([watch.current, watch.waitingFor]).toEqual([undefined, null]);
});

test('a catch-up that fails is not shown as running', async () => {
  const json = await open(await freshDirectory());
  const watch = new CatchUpWatch(log);
  const failing = { ...opened.store, scan: () => Promise.reject(new Error('gone')) };
  const run = bringUpToDate({
    ...{ source: json, target: failing, collections: opened.collections, watch },
  });
  await expect(run).rejects.toThrow('gone');
  expect(watch.current).toBeUndefined();
});

test('large records are read and applied a few at a time, and arrive whole', async () => {
  const json = await open(await freshDirectory());
  const note = 'ש'.repeat(20_000);
  const ids = Array.from({ length: 300 }, (_, n) => 20_000 + n);
  await json.apply(
    ids.map((id) => ({ kind: 'change', change: changeOf(id, stamp, null, expenseText(id, note)) })),
  );
  const report = await bringUpToDate({
    ...{ source: json, target: opened.store, collections: opened.collections },
  });
  expect(report.applied).toBe(300);
  const [there] = await opened.store.entries(expense, [20_299]);
  expect(there?.text).toBe(expenseText(20_299, note));
  const back = await bringUpToDate({
    ...{ source: json, target: opened.store, collections: opened.collections },
  });
  expect(back.applied).toBe(0);
});
