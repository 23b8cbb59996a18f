import { expect, test } from 'vitest';
import { until } from '../testing/until.ts';
import { GroupCommit } from './group-commit.ts';

type Settled = PromiseSettledResult<number>;
const fulfilled = (value: number): Settled => ({ status: 'fulfilled', value });

/** A group commit whose batches stay under way until they are let go. */
function held(concurrency = 1) {
  const batches: { items: readonly number[]; finish: (results?: readonly Settled[]) => void }[] =
    [];
  const group = new GroupCommit<number, number>({
    run: (items) =>
      new Promise((resolve) => {
        batches.push({ items, finish: (results = items.map(fulfilled)) => resolve(results) });
      }),
    bytesOf: (item) => item,
    ...{ concurrency, batchItemsMax: 3, batchBytesMax: 100, waitingMax: 6 },
  });
  return { group, batches };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('what arrives together, or while another is under way, is one batch', async () => {
  const { group, batches } = held();
  const first = [group.submit(1), group.submit(2)];
  await turn();
  const later = [group.submit(3), group.submit(4)];
  await turn();
  expect(batches.map(({ items }) => items)).toEqual([[1, 2]]);
  batches[0]?.finish();
  expect(await Promise.all(first)).toEqual([1, 2]);
  await turn();
  batches[1]?.finish([fulfilled(3), { status: 'rejected', reason: 'bad' }]);
  expect(await Promise.allSettled(later)).toMatchObject([{ value: 3 }, { reason: 'bad' }]);
});

test('a batch is bounded by its items and its bytes; one larger item still goes', async () => {
  const { group, batches } = held(9);
  const all = [1, 2, 3, 90, 11, 500].map((item) => group.submit(item));
  for (let turns = 0; turns < 5; turns++) await turn();
  expect(batches.map(({ items }) => items)).toEqual([[1, 2, 3], [90], [11], [500]]);
  for (const { finish } of batches) finish();
  expect(await Promise.all(all)).toEqual([1, 2, 3, 90, 11, 500]);
});

test('beside a batch under way the next begins once it is as large', async () => {
  const { group, batches } = held(2);
  const all = [group.submit(1), group.submit(2)];
  await turn();
  all.push(group.submit(3));
  await turn();
  expect(batches.map(({ items }) => items)).toEqual([[1, 2]]);
  all.push(group.submit(4));
  await turn();
  expect(batches.map(({ items }) => items)).toEqual([
    [1, 2],
    [3, 4],
  ]);
  for (const { finish } of batches) finish();
  expect(await Promise.all(all)).toEqual([1, 2, 3, 4]);
});

test('one that takes long is not waited for: it may be waiting for a lock', async () => {
  const { group, batches } = held(2);
  const all = [group.submit(1), group.submit(2)];
  await turn();
  all.push(group.submit(3));
  await until('the next began', () => batches.length === 2);
  for (const { finish } of batches) finish();
  expect(await Promise.all(all)).toEqual([1, 2, 3]);
});

test('one more than may wait is refused; closing waits for the others', async () => {
  const { group, batches } = held();
  const waiting = [1, 2, 3, 4, 5, 6].map((item) => group.submit(item));
  await expect(group.submit(7)).rejects.toMatchObject({ code: 'overloaded' });
  let closed = false;
  const closing = group.close().then(() => {
    closed = true;
  });
  await expect(group.submit(8)).rejects.toMatchObject({ code: 'unavailable' });
  await turn();
  batches[0]?.finish();
  await turn();
  await turn();
  expect(closed).toBe(false);
  batches[1]?.finish();
  await closing;
  expect(await Promise.all(waiting)).toEqual([1, 2, 3, 4, 5, 6]);
});

test('a batch that throws rejects all of its items', async () => {
  const group = new GroupCommit<number, number>({
    run: () => Promise.reject(new Error('away')),
    bytesOf: () => 1,
    ...{ concurrency: 1, batchItemsMax: 3, batchBytesMax: 100, waitingMax: 6 },
  });
  for (const result of await Promise.allSettled([group.submit(1), group.submit(2)])) {
    expect(result).toMatchObject({ reason: { message: 'away' } });
  }
});
