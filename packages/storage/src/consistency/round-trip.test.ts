import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Change } from '../changes/index.ts';
import { NESTING_MAX, nestsDeeper } from '../collections/index.ts';
import { type JsonStore, openJsonStore } from '../json/index.ts';
import { silentLog } from '../log.ts';
import { startDirection } from '../replication/index.ts';
import type { Store } from '../store.ts';
import { createReplicationFixture, type ReplicationFixture } from '../testing/index.ts';
import { fittingRecord, misfitRecord } from '../testing/legacy-arbitraries.ts';
import { propertyRuns, propertyTimeoutMs } from '../testing/replay.ts';
import { allEntries, allTexts, changeOf, expense, run, setOf } from '../testing/store-fixture.ts';
import { bringUpToDate } from './index.ts';

const RUNS = 40;
const JOB_RUNS = 8;

let system: ReplicationFixture;
let home: string;

const BUILT_IN = new Set(Object.getOwnPropertyNames(Object.prototype));

beforeAll(async () => {
  system = await createReplicationFixture();
});
afterAll(() => system.drop());
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tandem-round-trip-'));
});
afterEach(async () => {
  await rm(home, { recursive: true });
  const clean = Object.getOwnPropertyNames(Object.prototype).filter((name) => !BUILT_IN.has(name));
  expect(clean, 'nothing pollutes a prototype').toEqual([]);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

/** A store that adopts a file of these records. */
async function adopted(records: readonly string[]): Promise<JsonStore> {
  const directory = await mkdtemp(join(home, 'legacy-'));
  await writeFile(join(directory, 'expenses.json'), `[${records.join(',\n')}]`);
  return openJsonStore({ directory, collections: system.collections });
}

const NUMBER = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** Numbers of the unknown members as they are spelled, in any order. */
function spellingsOf(text: string): string[] {
  const known = /"(?:date|category|amount|account|business|notes|currency|id)" ?: ?/;
  const words = text.replace(
    new RegExp(`${known.source}(?:"(?:[^"\\\\]|\\\\.)*"|[^,}]+)`, 'g'),
    '',
  );
  return (words.match(NUMBER) ?? []).filter((word) => !word.startsWith('"')).sort();
}

async function expectSame(...stores: readonly Store[]): Promise<void> {
  const [first, ...others] = stores as [Store, ...Store[]];
  const entries = await allEntries(first);
  const texts = await allTexts(first);
  for (const other of others) {
    expect(await allEntries(other), `I8: ${first.name} and ${other.name}`).toEqual(entries);
    expect(await allTexts(other)).toEqual(texts);
  }
}

const catchUp = (source: Store, target: Store) =>
  bringUpToDate({ source, target, collections: system.collections });

test('I8: adopted records read the same from JSON, PostgreSQL and JSON again', {
  timeout: propertyTimeoutMs(),
}, async () => {
  const files = fc.array(fittingRecord, { minLength: 1, maxLength: 8 });
  const roundTrip = fc.asyncProperty(files, async (records) => {
    await system.clear();
    const first = await adopted(records);
    const again = await adopted([]);
    try {
      expect(first.mappingErrors()).toEqual([]);
      for (const [index, source] of records.entries()) {
        const text = (await first.get(expense, index + 1))?.text ?? '';
        expect(JSON.parse(text)).toMatchObject(unknownOf(JSON.parse(source)));
        expect(spellingsOf(text)).toEqual(spellingsOf(source));
      }
      expect((await catchUp(first, system.store)).remaining).toBe(0);
      expect((await catchUp(system.store, again)).remaining).toBe(0);
      await expectSame(first, system.store, again);
      expect((await catchUp(again, first)).applied).toBe(0);
    } finally {
      await Promise.all([first.close(), again.close()]);
    }
  });
  await fc.assert(roundTrip, propertyRuns(RUNS));
});

const KNOWN = new Set(['id', ...expense.fields.map(({ name }) => name)]);

const unknownOf = (record: object): object =>
  Object.fromEntries(Object.entries(record).filter(([name]) => !KNOWN.has(name)));

test('I8: what travels as jobs arrives as it was, in either direction', {
  timeout: propertyTimeoutMs(),
}, async () => {
  const files = fc.array(fittingRecord, { minLength: 1, maxLength: 8 });
  const travel = fc.asyncProperty(files, async (records) => {
    await system.clear();
    const first = await adopted(records);
    const again = await adopted([]);
    try {
      for (const [from, to, direction] of [
        [first, system.store, 'postgres'],
        [system.store, again, 'json'],
      ] as const) {
        await system.enqueue(direction, await changesOf(from));
        const { queues, collections } = system;
        const worker = startDirection({
          direction,
          store: to,
          queues,
          collections,
          log: silentLog,
        });
        try {
          await system.drained(direction);
        } finally {
          await worker.stop({ drainTimeoutMs: 1_000 });
        }
      }
      await expectSame(first, system.store, again);
    } finally {
      await Promise.all([first.close(), again.close()]);
    }
  });
  await fc.assert(travel, propertyRuns(JOB_RUNS));
});

/** Every state of a store as the change that brings it. */
const changesOf = async (store: Store): Promise<Change[]> =>
  (await allEntries(store)).map(({ id, epoch, version, text }) =>
    changeOf(id, { epoch, version }, null, text),
  );

test('I8: what the schema can not hold is kept and served as it is, and blocks nothing else', {
  timeout: propertyTimeoutMs(),
}, async () => {
  const files = fc.tuple(fc.array(misfitRecord, { minLength: 1, maxLength: 3 }), fittingRecord);
  const keep = fc.asyncProperty(files, async ([misfits, fitting]) => {
    await system.clear();
    const store = await adopted([...misfits, fitting]);
    try {
      const ids = misfits.map((_, index) => index + 1);
      expect(store.mappingErrors().map(({ id }) => id)).toEqual(ids);
      for (const id of ids) {
        const text = (await store.get(expense, id))?.text;
        expect(reading(text ?? '')).toEqual(reading(withId(misfits[id - 1] as string, id)));
      }
      const report = await catchUp(store, system.store);
      expect(report.differences.map(({ id, kind }) => [id, kind])).toEqual(
        ids.map((id) => [id, 'rejected']),
      );
      expect((await allEntries(system.store)).map(({ id }) => id)).toEqual([misfits.length + 1]);
      await store.checkpoint();
      const id = ids[0] as number;
      const deletion = { op: 'delete', collection: expense, id } as const;
      expect(await run(store, deletion)).toEqual({ kind: 'deleted', id });
    } finally {
      await store.close();
    }
  });
  await fc.assert(keep, propertyRuns(RUNS));
});

const withId = (source: string, id: number): string => `${source.slice(0, -1)},"id":${id}}`;

/** How a misfit must read: character by character when it is deep, else as the same JSON. */
const reading = (text: string): unknown =>
  nestsDeeper(text, NESTING_MAX) ? text : [JSON.stringify(JSON.parse(text)), spellingsOf(text)];

test('I8: the deepest record that fits goes the whole way; a set field leaves it as deep', async () => {
  await system.clear();
  const depth = NESTING_MAX - 1;
  const deep = `${'[{"a":'.repeat(depth / 2)}${depth % 2 ? '[1.0]' : '1.0'}${'}]'.repeat(depth / 2)}`;
  const store = await adopted([
    `{"date":"2025-12-07","category":"a","amount":1,"account":"b","deep":${deep}}`,
  ]);
  const again = await adopted([]);
  try {
    expect(store.mappingErrors()).toEqual([]);
    const set = setOf({ notes: 'set' });
    expect(await run(store, { op: 'update', collection: expense, id: 1, set })).toMatchObject({
      kind: 'updated',
      text: expect.stringContaining(deep),
    });
    expect((await catchUp(store, system.store)).remaining).toBe(0);
    expect((await catchUp(system.store, again)).remaining).toBe(0);
    await expectSame(store, system.store, again);
  } finally {
    await Promise.all([store.close(), again.close()]);
  }
});
