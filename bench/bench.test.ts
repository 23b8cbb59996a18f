import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Collection, loadCollections } from '@tandem/storage/collections';
import { openJsonStore } from '@tandem/storage/json';
import { describe, expect, test } from 'vitest';
import { runWriters } from './loops/writers.ts';
import { isMet, result, tableOf } from './result.ts';
import { inTurns, ratiosOf, spreadOf } from './turns.ts';

/** Those that take long even when they are quick are left to whoever runs the bench. */
const IN_CI = [
  ...['group-commit', 'stored', 'checkpoint', 'opening', 'take-over', 'backfill', 'api'],
  ...['verify', 'drain'],
];

/** It starts a dozen processes. */
const BENCH_TIMEOUT_MS = 300_000;

describe('the bench', () => {
  test(
    'measures the bars',
    async () => {
      const main = join(import.meta.dirname, 'main.ts');
      const { stdout } = await promisify(execFile)(process.execPath, [main, '--quick', ...IN_CI]);
      const rows = stdout.split('\n').filter((line) => /^\| .* \| (≥|≤|>) /.test(line));
      expect(rows).toHaveLength(19);
      for (const row of rows) expect(row).not.toMatch(/NaN|Infinity|undefined/);
    },
    BENCH_TIMEOUT_MS,
  );

  test('writes something, however slow the machine', async () => {
    const collections = await loadCollections();
    const directory = await mkdtemp(join(tmpdir(), 'tandem-bench-'));
    const store = await openJsonStore({ directory, collections });
    try {
      const expense = collections.find(({ name }) => name === 'expense') as Collection;
      const { writes } = await runWriters(store, expense, 3, { op: 'create' }, { ms: 0 });
      expect(writes).toBe(3);
    } finally {
      await store.close();
      await rm(directory, { recursive: true });
    }
  });

  test('takes turns, so that no run always comes first', async () => {
    const order: string[] = [];
    const run = (name: string) => async () => order.push(name);
    const measured = await inTurns(3, { a: run('a'), b: run('b') });
    expect(order.join('')).toBe('abbaab');
    expect(measured).toEqual({ a: [1, 4, 5], b: [2, 3, 6] });
    expect(ratiosOf([2, 9], [4, 3])).toEqual([0.5, 3]);
    expect(spreadOf([5, 1, 3])).toEqual({ median: 3, low: 1, high: 5 });
    expect(spreadOf([4, 1])).toEqual({ median: 2.5, low: 1, high: 4 });
  });

  test('says of each bar whether it is met', () => {
    const atLeast = { relation: '≥', value: 0.8 } as const;
    expect(isMet(result('a', atLeast, [0.7, 0.8, 0.9], ''))).toBe(true);
    expect(isMet(result('a', atLeast, [0.7, 0.79, 0.9], ''))).toBe(false);
    expect(isMet(result('a', { relation: '>', value: 1 }, [1], ''))).toBe(false);
    const met = result('a', { relation: '≤', value: 50, unit: ' ms' }, [3], 'figures');
    expect(tableOf([met]).split('\n')[2]).toBe(
      '| a | ≤ 50 ms | 3.00 ms (3.00 … 3.00) | yes | figures |',
    );
  });
});
