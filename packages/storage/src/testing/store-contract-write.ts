import { expect, test } from 'vitest';
import { canonicalText } from '../collections/index.ts';
import type { Store } from '../store.ts';
import {
  allTexts,
  changeOf,
  create,
  expense,
  income,
  run,
  setOf,
  valuesOf,
} from './store-fixture.ts';

export function writeContract(store: () => Store): void {
  test('I8: a created record is read back as it was written', async () => {
    const values = valuesOf({ notes: 'Weekly shopping' });
    const outcome = await run(store(), { op: 'create', collection: expense, values });
    if (outcome.kind !== 'created') throw new Error(outcome.kind);
    expect(outcome.version).toBe(1);
    expect(outcome.text).toBe(canonicalText(expense, { values, extra: null }, outcome.id));
    const { kind: _kind, ...stored } = outcome;
    expect(await store().get(expense, outcome.id)).toEqual(stored);
  });

  test.each([
    ['Unicode', { notes: 'שלום 🛒 é e\u0301 \u2028 " \\ \n \t / \u007f', category: '₪' }],
    ['an empty string', { notes: '', business: '' }],
    ['null', { notes: null, business: null }],
    ['a text of 64 KiB', { notes: 'é'.repeat(32_768) }],
    ['zero', { amount: '-0.00' }],
    ['the largest amount', { amount: '99999999.99' }],
    ['the smallest amount', { amount: '-99999999.99' }],
    ['a small amount', { amount: '0.01' }],
    ['trailing zeros', { amount: '150.50' }],
    ['the first day', { date: '0001-01-01' }],
    ['a leap day', { date: '2024-02-29' }],
    ['the last day', { date: '9999-12-31' }],
  ])('I8: %s comes back exactly', async (_what, body) => {
    const { id, text } = await create(store(), body);
    const expected = canonicalText(expense, { values: valuesOf(body), extra: null }, id);
    expect(text).toBe(expected);
    expect((await store().get(expense, id))?.text).toBe(expected);
    expect(await allTexts(store())).toEqual([expected]);
  });

  test('an update sets some fields, keeps the others, and counts the version', async () => {
    const first = await create(store(), { notes: 'before', business: 'ampm' });
    const outcome = await run(store(), {
      op: 'update',
      collection: expense,
      id: first.id,
      set: setOf({ notes: 'after', amount: '7.10' }),
    });
    const text = first.text.replace('"before"', '"after"').replace('150.5', '7.1');
    expect(outcome).toEqual({
      kind: 'updated',
      id: first.id,
      epoch: first.epoch,
      version: 2,
      text,
    });
    expect((await store().get(expense, first.id))?.text).toBe(text);
  });

  test('a deletion is seen by every read, and a deleted record is not found', async () => {
    const { id } = await create(store());
    const command = { op: 'delete', collection: expense, id } as const;
    expect(await run(store(), command)).toEqual({ kind: 'deleted', id });
    expect(await store().get(expense, id)).toBeUndefined();
    expect(await allTexts(store())).toEqual([]);
    expect(await run(store(), command)).toEqual({ kind: 'not-found', id });
    const update = { op: 'update', collection: expense, id, set: setOf({ notes: 'x' }) } as const;
    expect(await run(store(), update)).toEqual({ kind: 'not-found', id });
  });

  test('a record that never was is not found', async () => {
    expect(await store().get(expense, 77)).toBeUndefined();
    const set = setOf({ notes: 'x' });
    const outcome = await run(store(), { op: 'update', collection: expense, id: 77, set });
    expect(outcome).toEqual({ kind: 'not-found', id: 77 });
  });

  test('collections are apart', async () => {
    const spent = await create(store(), { notes: 'out' });
    const earned = await create(store(), { notes: 'in' }, income);
    expect(await allTexts(store(), income)).toEqual([earned.text]);
    await run(store(), { op: 'delete', collection: income, id: earned.id });
    expect(await allTexts(store(), expense)).toEqual([spent.text]);
  });

  test('a precondition lets through the stamps it names, and nothing else', async () => {
    const { id, epoch, version } = await create(store());
    const update = (ifMatch: '*' | { epoch: number; version: number }[]) =>
      run(store(), { op: 'update', collection: expense, id, set: setOf({ notes: 'n' }), ifMatch });
    expect((await update([{ epoch, version }])).kind).toBe('updated');
    const current = { epoch, version: 2 };
    expect(await update([{ epoch, version }])).toEqual({
      kind: 'precondition-failed',
      id,
      current,
    });
    expect((await update([{ epoch: epoch + 1, version: 2 }, current])).kind).toBe('updated');
    expect((await update('*')).kind).toBe('updated');
    const stale = { op: 'delete', collection: expense, id, ifMatch: [current] } as const;
    expect((await run(store(), stale)).kind).toBe('precondition-failed');
    expect(await store().get(expense, id)).toBeDefined();
    const missing = { op: 'delete', collection: expense, id: id + 1, ifMatch: '*' } as const;
    expect(await run(store(), missing)).toEqual({ kind: 'not-found', id: id + 1 });
  });

  test('a bulk deletion counts duplicates once and skips unknown ids', async () => {
    const [a, b, kept] = [await create(store()), await create(store()), await create(store())];
    const ids = [b.id, a.id, b.id, 999_999, a.id];
    const command = { op: 'bulk-delete', collection: expense, ids } as const;
    expect(await run(store(), command)).toEqual({ kind: 'bulk-deleted', count: 2 });
    expect(await allTexts(store())).toEqual([kept.text]);
    expect(await run(store(), command)).toEqual({ kind: 'bulk-deleted', count: 0 });
    const none = { op: 'bulk-delete', collection: expense, ids: [] } as const;
    expect(await run(store(), none)).toEqual({ kind: 'bulk-deleted', count: 0 });
  });

  test('a record the schema can not hold is updated when the result fits', async () => {
    const broken = '{"date":"yesterday","amount":1,"account":"Cash","id":41}';
    const change = changeOf(41, { epoch: 1, version: 1 }, null, broken);
    const [applied] = await store().apply([{ kind: 'change', change }]);
    if (applied?.verdict === 'rejected') {
      expect(applied.permanent).toBe(true);
      expect(await store().get(expense, 41)).toBeUndefined();
      return;
    }
    expect((await store().get(expense, 41))?.text).toBe(broken);
    const put = (body: Record<string, unknown>) =>
      run(store(), { op: 'update', collection: expense, id: 41, set: setOf(body) });
    expect((await put({ notes: 'still no date' })).kind).toBe('invalid');
    expect((await store().get(expense, 41))?.text).toBe(broken);
    expect((await put({ date: '2025-01-02', category: 'Food' })).kind).toBe('updated');
  });

  test('64 writers at once lose no update and share no id', async () => {
    const shared = await create(store(), { notes: 'shared' });
    const writers = Array.from({ length: 64 }, async (_, writer) => {
      const mine = await create(store(), { notes: `writer ${writer}` });
      const versions: number[] = [];
      for (let round = 0; round < 5; round++) {
        const set = setOf({ notes: `${writer}.${round}` });
        const update = { op: 'update', collection: expense, id: shared.id, set } as const;
        const outcome = await run(store(), update);
        if (outcome.kind !== 'updated') throw new Error(outcome.kind);
        versions.push(outcome.version);
      }
      return { id: mine.id, versions };
    });
    const done = await Promise.all(writers);
    expect(new Set([shared.id, ...done.map(({ id }) => id)]).size).toBe(65);
    const versions = done.flatMap((writer) => writer.versions).sort((a, b) => a - b);
    expect(versions).toEqual(Array.from({ length: 320 }, (_, index) => index + 2));
    expect((await store().get(expense, shared.id))?.version).toBe(321);
    expect(await allTexts(store())).toHaveLength(65);
  });

  test('one write that does nothing leaves those beside it alone', async () => {
    const kept = await create(store());
    const outcomes = await Promise.all([
      run(store(), { op: 'delete', collection: expense, id: 4_242 }),
      run(store(), { op: 'create', collection: expense, values: valuesOf() }),
      run(store(), { op: 'delete', collection: expense, id: kept.id }),
    ]);
    expect(outcomes.map(({ kind }) => kind)).toEqual(['not-found', 'created', 'deleted']);
  });

  test('I4, I9: a rewriting is above what the other store has, with the same content or another', async () => {
    const { id, epoch, version, text } = await create(store(), { notes: 'kept' });
    const above = { epoch: 0, version: 7 };
    const rewrite = { op: 'rewrite', collection: expense, id, above } as const;
    const again = { kind: 'updated', id, epoch, version: 8, text };
    expect(await run(store(), rewrite)).toEqual(again);
    const other = text.replace('kept', 'taken over');
    const late = { ...rewrite, instead: { text: other, at: { epoch, version } } };
    const refused = { kind: 'precondition-failed', id, current: { epoch, version: 8 } };
    expect(await run(store(), late)).toEqual(refused);
    const timely = { ...rewrite, instead: { text: other, at: { epoch, version: 8 } } };
    expect(await run(store(), timely)).toEqual({ ...again, version: 9, text: other });
    // What only the other store has is buried above it; its id is not given again once it was raised.
    const extra = { ...rewrite, id: id + 5, above: { epoch, version: 3 } };
    await store().raiseIdHighWater({ expense: id + 5 });
    expect(await run(store(), extra)).toEqual({ kind: 'deleted', id: id + 5 });
    expect(await store().entries(expense, [id + 5])).toEqual([
      { id: id + 5, epoch, version: 4, text: null },
    ]);
    expect((await create(store())).id).toBe(id + 6);
    const back = text.replace(`"id":${id}`, `"id":${id + 5}`);
    const revived = { ...extra, above: { epoch, version: 4 }, instead: { text: back, at: null } };
    expect(await run(store(), revived)).toMatchObject({ kind: 'updated', version: 5 });
    expect(await allTexts(store())).toContain(back);
    expect(await run(store(), { ...rewrite, id: 9_999, above: null })).toEqual({
      ...{ kind: 'not-found', id: 9_999 },
    });
  });
}
