import { expect, test } from 'vitest';
import { KeyTable } from './key-table.ts';

/** Two days: what a key lives. */
const KEY_LIFE_MS = 48 * 60 * 60_000;

const keyAt = (key: string, ms: number, fingerprint = 'f') => ({
  ...{ key, fingerprint, outcome: '{}' },
  at: new Date(ms).toISOString(),
});

test('I10: pruning forgets expired keys alone, and none that is given anew meanwhile', async () => {
  const table = new KeyTable();
  const now = 10 * KEY_LIFE_MS;
  const COUNT = 20_000;
  for (let n = 0; n < COUNT; n++) {
    table.put(keyAt(`key-${n}`, n % 2 === 0 ? now - KEY_LIFE_MS - 1 : now - KEY_LIFE_MS));
  }
  const pruned = table.prune(now);
  // Pruning works in slices: this is between two of them.
  const again = keyAt(`key-${COUNT - 2}`, now, 'another');
  table.put(again);
  await pruned;
  expect(table.size).toBe(COUNT / 2 + 1);
  expect(table.get(again.key, now)).toBe(again);
  expect(table.get('key-0', now)).toBeUndefined();
  expect(table.get('key-1', now)).toBeDefined();
});

test('a snapshot has the keys of its moment', () => {
  const table = new KeyTable();
  table.put(keyAt('a', 0));
  const snapshot = table.snapshot();
  table.put(keyAt('b', 0));
  table.put(keyAt('a', 0, 'another'));
  expect(snapshot.size).toBe(1);
  expect([...snapshot.values()]).toEqual([keyAt('a', 0)]);
});
