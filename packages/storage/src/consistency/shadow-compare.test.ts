import { expect, test } from 'vitest';
import type { StoredRecord } from '../store.ts';
import { comparePages, compareRecords } from './shadow-compare.ts';

const record = (id: number, version: number, text = `v${version}`): StoredRecord => ({
  ...{ id, epoch: 2, version, text },
});

test('a record is told equally, or differently by lag or by conflict', () => {
  const ours = record(1, 2);
  expect(compareRecords(1, ours, record(1, 2))).toEqual([]);
  expect(compareRecords(1, undefined, undefined)).toEqual([]);
  const lag = [{ id: 1, primary: ours, isConflict: false }];
  expect(compareRecords(1, ours, record(1, 1))).toEqual(lag);
  expect(compareRecords(1, ours, record(1, 3))).toEqual(lag);
  expect(compareRecords(1, ours, undefined)).toEqual(lag);
  expect(compareRecords(1, undefined, record(1, 1))).toEqual([
    { id: 1, primary: undefined, isConflict: false },
  ]);
  expect(compareRecords(1, ours, record(1, 2, 'typed'))).toEqual([
    { id: 1, primary: ours, isConflict: true },
  ]);
});

test('pages are compared by record, and by order where every record is equal', () => {
  const page = (...records: StoredRecord[]) => ({ records });
  const [a, b, c] = [record(1, 1), record(2, 1), record(3, 1)];
  expect(comparePages(page(a, b), page(a, b))).toEqual({ differences: [] });
  expect(comparePages(page(a, b, c), page(a, c, b))).toEqual({ differences: [], misplaced: b });
  // The border of a page moves with what is missing on one side.
  expect(comparePages(page(a, b), page(b, c)).differences.map(({ id }) => id)).toEqual([1, 3]);
  // Where a record differs, the order may, too: it says nothing yet.
  expect(comparePages(page(a, b), page(b, record(1, 2)))).toEqual({
    differences: [{ id: 1, primary: a, isConflict: false }],
  });
});
