import { expect, test } from 'vitest';
import type { KeyItem, Write } from '../changes/index.ts';
import { ID_MAX, type Store } from '../store.ts';
import { allTexts, create, expense, income, run, setOf, valuesOf } from './store-fixture.ts';

const creation = (key: string, fingerprint: string, notes = 'keyed'): Write => ({
  command: { op: 'create', collection: expense, values: valuesOf({ notes }) },
  key: { key, fingerprint },
});

export function keyContract(store: () => Store): void {
  test('I10: a repeated key has one effect and the first outcome', async () => {
    const first = await store().write(creation('k1', 'f1'));
    await run(store(), { op: 'delete', collection: expense, id: 12_345 });
    expect(await store().write(creation('k1', 'f1'))).toEqual(first);
    expect(await allTexts(store())).toHaveLength(1);
    expect((await store().write(creation('k2', 'f1'))).kind).toBe('created');
  });

  test('I10: a key with another fingerprint is refused', async () => {
    await store().write(creation('k1', 'f1'));
    await expect(store().write(creation('k1', 'f2'))).rejects.toMatchObject({ code: 'key-reused' });
    expect(await allTexts(store())).toHaveLength(1);
  });

  test('I10: the same key in flight waits for the first', async () => {
    const same = await Promise.all([1, 2, 3, 4].map(() => store().write(creation('k1', 'f1'))));
    for (const outcome of same) expect(outcome).toEqual(same[0]);
    expect(await allTexts(store())).toHaveLength(1);
    const [one, other] = await Promise.allSettled([
      store().write(creation('k2', 'f1')),
      store().write(creation('k2', 'f2')),
    ]);
    expect(one.status).toBe('fulfilled');
    expect(other).toMatchObject({ status: 'rejected', reason: { code: 'key-reused' } });
    expect(await allTexts(store())).toHaveLength(2);
  });

  test('I10: an outcome without an effect is remembered too', async () => {
    const set = setOf({ notes: 'late' });
    const write: Write = {
      command: { op: 'update', collection: expense, id: 1, set },
      key: { key: 'k1', fingerprint: 'f1' },
    };
    expect(await store().write(write)).toEqual({ kind: 'not-found', id: 1 });
    await create(store());
    expect(await store().write(write)).toEqual({ kind: 'not-found', id: 1 });
  });

  test('I10: keys are scanned in the order of their bytes, with outcome and instant', async () => {
    // U+FF21 sorts after an emoji in UTF-16 and before it in UTF-8.
    const keys = ['b', 'a', 'A', 'é', '\uff21', '😀', 'ab'];
    const outcomes = new Map<string, unknown>();
    for (const key of keys) outcomes.set(key, await store().write(creation(key, `f-${key}`)));
    const found: KeyItem[] = [];
    for (;;) {
      const some = await store().scanKeys(found.at(-1)?.key ?? '', 2);
      if (some.length === 0) break;
      found.push(...some);
    }
    const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect(found.map(({ key }) => key)).toEqual(sorted);
    for (const { key, fingerprint, outcome, at } of found) {
      expect(fingerprint).toBe(`f-${key}`);
      expect(JSON.parse(outcome)).toEqual(outcomes.get(key));
      expect(new Date(at).toISOString()).toBe(at);
    }
    const some = await store().keys(['é', 'none', 'é', 'A']);
    expect(some).toHaveLength(2);
    expect(some).toEqual(expect.arrayContaining(found.filter(({ key }) => /[éA]/.test(key))));
  });

  test('I10: a key that has outlived its time is not scanned, and may be used anew', async () => {
    const HOUR_MS = 3_600_000;
    const keyOf = (key: string, ageMs: number): KeyItem => ({
      ...{ key, fingerprint: 'f1', at: new Date(Date.now() - ageMs).toISOString() },
      outcome: JSON.stringify({ kind: 'deleted', id: 3 }),
    });
    const [old, young] = [keyOf('a', 49 * HOUR_MS), keyOf('b', 47 * HOUR_MS)];
    await store().apply([old, young].map((key) => ({ kind: 'key', key })));
    expect(await store().scanKeys('', 10)).toEqual([young]);
    expect(await store().scanKeys('', 1)).toEqual([young]);
    expect(await store().keys(['a', 'b'])).toEqual([young]);
    const since = async (at: string) => (await Array.fromAsync(store().keysSince(at))).flat();
    expect(await since(old.at)).toEqual([young]);
    expect(await since(young.at)).toEqual([young]);
    expect(await since(new Date().toISOString())).toEqual([]);
    expect((await store().write(creation('a', 'f2'))).kind).toBe('created');
    expect((await store().write(creation('b', 'f1'))).kind).toBe('deleted');
    expect((await store().scanKeys('', 10)).map(({ fingerprint }) => fingerprint)).toEqual([
      ...['f2', 'f1'],
    ]);
  });

  test('I10: an applied key answers as if the write had been made here', async () => {
    const outcome = { kind: 'deleted', id: 3 };
    const at = new Date().toISOString();
    const key: KeyItem = {
      ...{ key: 'far', fingerprint: 'f1', at },
      outcome: JSON.stringify(outcome),
    };
    expect((await store().apply([{ kind: 'key', key }]))[0]?.verdict).toBe('apply');
    const again: KeyItem = { ...key, outcome: JSON.stringify({ kind: 'deleted', id: 4 }) };
    await store().apply([{ kind: 'key', key: again }]);
    expect(await store().scanKeys('', 10)).toEqual([key]);
    expect(await store().write(creation('far', 'f1'))).toEqual(outcome);
    await expect(store().write(creation('far', 'f2'))).rejects.toMatchObject({
      code: 'key-reused',
    });
    expect(await allTexts(store())).toEqual([]);
  });
}

export function idContract(store: () => Store): void {
  test('I9: ids count up from 1, and the high-water is the last one given', async () => {
    expect(await store().idHighWater()).toEqual({ expense: 0, income: 0 });
    expect((await create(store())).id).toBe(1);
    expect((await create(store())).id).toBe(2);
    expect((await create(store(), {}, income)).id).toBe(1);
    expect(await store().idHighWater()).toEqual({ expense: 2, income: 1 });
  });

  test('I9: an id is not given again after its record was deleted', async () => {
    const { id } = await create(store());
    await run(store(), { op: 'delete', collection: expense, id });
    expect((await create(store())).id).toBe(id + 1);
  });

  test('I9: after the last id that both stores can hold none is given, and the store goes on', async () => {
    await store().raiseIdHighWater({ expense: ID_MAX - 1 });
    const { id } = await create(store());
    expect(id).toBe(ID_MAX);
    await expect(create(store())).rejects.toMatchObject({ code: 'invalid' });
    await store().raiseIdHighWater({ expense: ID_MAX + 1_000_000 });
    expect(await store().idHighWater()).toMatchObject({ expense: ID_MAX });
    const set = setOf({ notes: 'the last' });
    expect(await run(store(), { op: 'update', collection: expense, id, set })).toMatchObject({
      kind: 'updated',
    });
  });

  test('I9: the high-water is raised, never lowered', async () => {
    await store().raiseIdHighWater({ expense: 1_000_000 });
    expect(await store().idHighWater()).toEqual({ expense: 1_000_000, income: 0 });
    expect((await create(store())).id).toBe(1_000_001);
    await store().raiseIdHighWater({ expense: 10, income: 5 });
    expect(await store().idHighWater()).toEqual({ expense: 1_000_001, income: 5 });
    expect((await create(store(), {}, income)).id).toBe(6);
  });
}
