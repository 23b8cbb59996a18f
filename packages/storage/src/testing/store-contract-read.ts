import { expect, test } from 'vitest';
import type { Item } from '../changes/index.ts';
import { RangeDigester } from '../range-digest.ts';
import { ENTRIES_IDS_MAX, type Store } from '../store.ts';
import {
  allEntries,
  allPages,
  allTexts,
  changeOf,
  create,
  expense,
  expenseText,
  income,
  run,
} from './store-fixture.ts';

const DATES = ['2025-01-02', '2025-03-01', '2025-01-02', '2024-12-31', '2025-01-02', '2025-03-01'];

export function readContract(store: () => Store): void {
  test('I8: a range has the same digest in every store: records, tombstones, unknown fields and all', async () => {
    const odd = ['é e\u0301 😀', 'a "quote" \\ and \u2028', 'tab\tline\nend', '\u0001\u007f', ''];
    for (const notes of odd) await create(store(), { notes });
    const extra = expenseText(1_024, 'n', '"x":1.50,"y":{"z":[null,"\u20aa"]},');
    const items = [1_024, 5_000].map(
      (id): Item => ({
        kind: 'change',
        change: changeOf(id, { epoch: 1, version: 1 }, null, id === 5_000 ? null : extra),
      }),
    );
    await store().apply(items);
    const digester = new RangeDigester();
    for (const entry of await allEntries(store())) digester.add(entry);
    const expected = digester.digests();
    expect(expected.map(({ range, count }) => [range, count])).toEqual([
      ...[[0, 5] as const, [1, 1] as const, [4, 1] as const],
    ]);
    expect(await store().digests(expense, 0, 64)).toEqual(expected);
    expect(await store().digests(expense, 1, 4)).toEqual(expected.slice(1, 2));
    expect(await store().digests(income, 0, 64)).toEqual([]);
  });

  test('an empty collection has an empty list, page and scan', async () => {
    expect(await allTexts(store())).toEqual([]);
    expect(await store().page(expense, { limit: 5 })).toEqual({ records: [] });
    expect(await store().scan(expense, 0, 5)).toEqual([]);
    expect(await store().scanKeys('', 5)).toEqual([]);
  });

  test('list and pages: newest date first, then highest id, complete', async () => {
    const made = [];
    for (const date of DATES) made.push({ date, ...(await create(store(), { date })) });
    const expected = made.sort((a, b) =>
      a.date === b.date ? b.id - a.id : a.date < b.date ? 1 : -1,
    );
    const texts = expected.map(({ text }) => text);
    expect(await allTexts(store())).toEqual(texts);
    for (const limit of [1, 2, 3, 5, 6, 7]) {
      const records = await allPages(store(), limit);
      expect(records.map(({ text }) => text)).toEqual(texts);
      expect(records.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
    }
    // Six records in pages of three: the second page is known to be the last.
    const first = await store().page(expense, { limit: 3 });
    expect(first.next).toEqual({ date: expected[2]?.date, id: expected[2]?.id });
    if (first.next === undefined) throw new Error('no next page');
    expect((await store().page(expense, { limit: 3, after: first.next })).next).toBeUndefined();
  });

  test('a cursor holds when its record is gone or moved', async () => {
    const made = [];
    for (const date of DATES) made.push(await create(store(), { date }));
    const first = await store().page(expense, { limit: 3 });
    const last = first.records.at(-1);
    if (first.next === undefined || last === undefined) throw new Error('no next page');
    const whole = await allPages(store(), 10);
    await run(store(), { op: 'delete', collection: expense, id: last.id });
    const second = await store().page(expense, { limit: 10, after: first.next });
    expect(second.records).toEqual(whole.slice(3));
  });

  test('a changed date moves a record to its new place', async () => {
    const old = await create(store(), { date: '2025-01-01' });
    const other = await create(store(), { date: '2025-06-01' });
    const set = { date: '2025-12-01' };
    const moved = await run(store(), { op: 'update', collection: expense, id: old.id, set });
    if (moved.kind !== 'updated') throw new Error(moved.kind);
    expect(await allTexts(store())).toEqual([moved.text, other.text]);
  });

  test('a list is one moment, whatever is written while it is read', async () => {
    const items: Item[] = Array.from({ length: 3_000 }, (_, index) => ({
      kind: 'change',
      change: changeOf(
        index + 1,
        { epoch: 1, version: 1 },
        null,
        expenseText(index + 1, 'n'.repeat(200)),
      ),
    }));
    for (let from = 0; from < items.length; from += 500) {
      await store().apply(items.slice(from, from + 500));
    }
    const before = await allTexts(store());
    expect(before).toHaveLength(3_000);
    const seen: string[] = [];
    let chunks = 0;
    for await (const chunk of store().list(expense)) {
      seen.push(...chunk);
      if (chunks++ > 2) continue;
      await create(store(), { date: '2025-12-31' });
      await run(store(), { op: 'bulk-delete', collection: expense, ids: [chunks, 2_999 - chunks] });
    }
    expect(seen).toEqual(before);
  });

  test('a scan gives records and tombstones by ascending id', async () => {
    const made = [];
    for (const date of DATES) made.push(await create(store(), { date }));
    const gone = made[2];
    if (gone === undefined) throw new Error('no record');
    await run(store(), { op: 'delete', collection: expense, id: gone.id });
    const expected = made.map((record) =>
      record === gone ? { ...record, version: 2, text: null } : record,
    );
    expect(await allEntries(store())).toEqual(expected);
    expect(await allEntries(store(), 2)).toEqual(expected);
    expect(await store().scan(expense, gone.id, 1)).toEqual([expected[3]]);
  });

  test('entries of some ids: records and tombstones, ascending, each once, unknown ones left out', async () => {
    const made = [];
    for (const date of DATES) made.push(await create(store(), { date }));
    const [, second, third] = made;
    if (second === undefined || third === undefined) throw new Error('no record');
    await run(store(), { op: 'delete', collection: expense, id: third.id });
    const buried = { ...third, version: 2, text: null };
    const asked = [third.id, 99, second.id, third.id, -1, 2 ** 40, 0];
    expect(await store().entries(expense, asked)).toEqual([second, buried]);
    expect(await store().entries(expense, [])).toEqual([]);
    expect(await store().entries(income, [second.id])).toEqual([]);
    const many = Array.from({ length: ENTRIES_IDS_MAX }, (_, index) => ENTRIES_IDS_MAX - index);
    expect(await store().entries(expense, many)).toEqual(await allEntries(store()));
    await expect(store().entries(expense, [...many, 0])).rejects.toThrow('too many');
  });
}
