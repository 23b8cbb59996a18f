import { expect, onTestFailed, test } from 'vitest';
import type { Change, Item } from '../changes/index.ts';
import type { Store } from '../store.ts';
import {
  allEntries,
  allTexts,
  changeOf,
  create,
  expense,
  expenseText,
  randomFrom,
  run,
  seedOf,
  setOf,
  shuffled,
} from './store-fixture.ts';

const item = (change: Change): Item => ({ kind: 'change', change });

/** A record's life of `length` changes over two epochs; a deletion ends it when asked for. */
function chainOf(id: number, length: number, deleted: boolean): Change[] {
  const chain: Change[] = [];
  for (let version = 1; version <= length; version++) {
    const base = chain.at(-1);
    const stamp = { epoch: version > length / 2 ? 2 : 1, version };
    const record = deleted && version === length ? null : expenseText(id, `version ${version}`);
    chain.push(
      changeOf(
        id,
        stamp,
        base === undefined ? null : { epoch: base.epoch, version: base.version },
        record,
      ),
    );
  }
  return chain;
}

export function applyContract(store: () => Store): void {
  const apply = async (change: Change) => {
    const [result] = await store().apply([item(change)]);
    return result;
  };

  test('I4: create, update and delete arrive; repeated and stale ones are no-ops', async () => {
    const [first, second, third] = chainOf(900, 3, true) as [Change, Change, Change];
    expect((await apply(first))?.verdict).toBe('apply');
    expect((await store().get(expense, 900))?.text).toBe(first.record);
    expect((await apply(first))?.verdict).toBe('no-op');
    expect((await apply(second))?.verdict).toBe('apply');
    expect((await apply(first))?.verdict).toBe('no-op');
    const { epoch, version } = second;
    expect(await store().get(expense, 900)).toEqual({
      ...{ id: 900, epoch, version },
      text: second.record,
    });
    expect((await apply(third))?.verdict).toBe('apply');
    expect(await store().get(expense, 900)).toBeUndefined();
    expect((await apply(second))?.verdict).toBe('no-op');
    expect((await apply(third))?.verdict).toBe('no-op');
    expect(await store().get(expense, 900)).toBeUndefined();
    expect(await allTexts(store())).toEqual([]);
  });

  test('I4: a deletion that comes first leaves a tombstone that keeps older changes out', async () => {
    const [first, , third] = chainOf(901, 3, true) as [Change, Change, Change];
    expect((await apply(third))?.verdict).toBe('apply');
    const tombstone = { id: 901, epoch: third.epoch, version: third.version, text: null };
    expect(await allEntries(store())).toEqual([tombstone]);
    expect((await apply(first))?.verdict).toBe('no-op');
    expect(await allEntries(store())).toEqual([tombstone]);
  });

  test('I4: any order, any repetition, any batching ends in the newest states', async () => {
    const seed = seedOf();
    onTestFailed(() => console.error(`TANDEM_SEED=${seed}`));
    const random = randomFrom(seed);
    const chains = Array.from({ length: 20 }, (_, index) =>
      chainOf(1 + index, 1 + Math.floor(random() * 8), random() < 0.4),
    );
    const changes = chains.flat();
    const repeated = changes.filter(() => random() < 0.5);
    const queue = shuffled([...changes, ...repeated], random).map(item);
    while (queue.length > 0) {
      const batch = queue.splice(0, 1 + Math.floor(random() * 30));
      const results = await store().apply(batch);
      expect(results).toHaveLength(batch.length);
      for (const { verdict } of results) expect(['apply', 'no-op']).toContain(verdict);
    }
    const newest = chains.map((chain) => chain.at(-1) as Change);
    expect(await allEntries(store())).toEqual(
      newest.map(({ id, epoch, version, record }) => ({ id, epoch, version, text: record })),
    );
  });

  test('I4: the same stamp with other content is a conflict and changes nothing', async () => {
    const first = changeOf(902, { epoch: 1, version: 1 }, null, expenseText(902, 'here'));
    await apply(first);
    const other = { ...first, record: expenseText(902, 'there') };
    const stored = { id: 902, epoch: 1, version: 1, text: first.record };
    expect(await apply(other)).toEqual({ verdict: 'conflict', stored });
    expect((await apply({ ...first, op: 'delete', record: null }))?.verdict).toBe('conflict');
    expect(await allEntries(store())).toEqual([stored]);
  });

  test('I4: a change of another chain is a fork and changes nothing', async () => {
    const [first, second] = chainOf(903, 2, false) as [Change, Change];
    await apply(first);
    await apply(second);
    const stored = { id: 903, epoch: 2, version: 2, text: second.record };
    const stamp = { epoch: 3, version: 2 };
    const fork = changeOf(903, stamp, { epoch: 1, version: 1 }, expenseText(903, 'fork'));
    expect(await apply(fork)).toEqual({ verdict: 'fork', stored });
    const reborn = changeOf(903, { epoch: 4, version: 1 }, null, expenseText(903, 'reborn'));
    expect((await apply(reborn))?.verdict).toBe('fork');
    expect(await allEntries(store())).toEqual([stored]);
  });

  test('one item of a batch that changes nothing leaves the others alone', async () => {
    const first = changeOf(904, { epoch: 1, version: 1 }, null, expenseText(904, 'kept'));
    await apply(first);
    const beside = changeOf(905, { epoch: 1, version: 1 }, null, expenseText(905, 'beside'));
    const results = await store().apply([
      item({ ...first, record: expenseText(904, 'other') }),
      item(beside),
      item(beside),
    ]);
    expect(results.map(({ verdict }) => verdict)).toEqual(['conflict', 'apply', 'no-op']);
    expect(await store().apply([])).toEqual([]);
  });

  test('I8: unknown fields and their number spelling survive apply and update', async () => {
    const extra = '"tag":1.0,"big":12345678901234567890,"deep":{"b":[1e2,null],"a":"é\\n"},';
    const text = expenseText(906, 'first', extra);
    await apply(changeOf(906, { epoch: 1, version: 1 }, null, text));
    expect((await store().get(expense, 906))?.text).toBe(text);
    const set = setOf({ notes: 'second' });
    await run(store(), { op: 'update', collection: expense, id: 906, set });
    expect((await store().get(expense, 906))?.text).toBe(expenseText(906, 'second', extra));
  });

  test('a local write goes on from an applied state', async () => {
    await apply(changeOf(907, { epoch: 1, version: 6 }, null, expenseText(907, 'applied')));
    const set = setOf({ notes: 'written' });
    const outcome = await run(store(), { op: 'update', collection: expense, id: 907, set });
    expect(outcome).toMatchObject({ kind: 'updated', version: 7 });
  });

  test('I9: applied ids raise the high-water, deleted ones too', async () => {
    await apply(changeOf(5_000, { epoch: 1, version: 1 }, null, expenseText(5_000, 'x')));
    expect((await store().idHighWater()).expense).toBe(5_000);
    expect((await create(store())).id).toBe(5_001);
    const gone = changeOf(6_000, { epoch: 1, version: 2 }, { epoch: 1, version: 1 }, null);
    await apply(gone);
    expect((await create(store())).id).toBe(6_001);
  });
}
