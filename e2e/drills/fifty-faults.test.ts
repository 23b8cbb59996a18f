import type { Change } from '@tandem/storage/changes';
import {
  create,
  type DualStores,
  expense,
  openDualStores,
  run,
  setOf,
} from '@tandem/storage/testing';
import { expect, onTestFinished, test, vi } from 'vitest';

// 200,000 records, 300 writes a second beside it all, and 50 faults of every kind.
const RECORDS = 200_000;
const BATCH_RECORDS = 5_000;
const WRITES_A_SECOND = 300;
const RUNS = 20;
/** No writer touches records from here on. */
const STILL_FROM = 100_000;

const text = (id: number): string =>
  `{"date":"2025-12-07","business":null,"category":"Food","amount":12.5,"account":"Cash","currency":"₪","notes":"é ${id}","id":${id}}`;

const changeOf = (id: number, version: number, record: string | null): Change => ({
  ...{ collection: 'expense', id, epoch: 1, version, record, at: '2025-12-07T10:00:00.000Z' },
  base: version === 1 ? null : { epoch: 1, version: version - 1 },
  op: record === null ? 'delete' : version === 1 ? 'create' : 'update',
});

async function fill({ json, store }: DualStores): Promise<void> {
  for (let from = 1; from <= RECORDS; from += BATCH_RECORDS) {
    const items = Array.from({ length: BATCH_RECORDS }, (_, at) => ({
      ...{ kind: 'change' as const, change: changeOf(from + at, 1, text(from + at)) },
    }));
    await Promise.all([json.apply(items), store.apply(items)]);
  }
}

/** Writes at a steady rate until it is told to stop. @returns how many there were */
function writeBeside({ json }: DualStores): () => Promise<number> {
  let writes = 0;
  let failed: unknown;
  const beganMs = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - beganMs) / 1_000) * WRITES_A_SECOND;
    for (; writes < due; writes++) {
      const id = 1 + ((writes * 7_919) % (STILL_FROM - 1));
      const set = setOf({ notes: `written ${writes}` });
      const write =
        writes % 3 === 0 ? create(json) : run(json, { op: 'update', collection: expense, id, set });
      write.catch((error: unknown) => {
        failed = error;
      });
    }
  }, 20);
  return async () => {
    clearInterval(timer);
    expect(failed).toBeUndefined();
    return writes;
  };
}

test('50 faults among 200,000 records and 300 writes a second: exactly those are found, and mended', async () => {
  const dual = await openDualStores('json-primary');
  onTestFinished(() => dual.drop());
  const { pool, json } = dual;
  await fill(dual);
  dual.relay();
  dual.work('postgres');
  const stop = writeBeside(dual);
  const options = { patienceMs: 5_000 };
  let falseAlarms = 0;
  for (let n = 0; n < RUNS; n++) {
    const { counts } = await dual.compare('json', options);
    falseAlarms += Object.entries(counts).reduce(
      (sum, [name, count]) => sum + (name === 'in-flight' ? 0 : count),
      0,
    );
  }
  expect(falseAlarms).toBe(0);

  const from = (first: number) => Array.from({ length: 8 }, (_, at) => first + at * 1_003);
  const ids = {
    missing: from(100_001),
    cent: from(110_002),
    form: from(120_003),
    nil: from(130_004),
  };
  const extra = Array.from({ length: 8 }, (_, at) => 900_000 + at);
  const list = (some: readonly number[]) => `(${some.join(',')})`;
  await pool.query(`
    DELETE FROM expenses WHERE id IN ${list(ids.missing)};
    UPDATE expenses SET amount = amount + 0.01 WHERE id IN ${list(ids.cent)};
    UPDATE expenses SET notes = normalize(notes, NFD) WHERE id IN ${list(ids.form)};
    UPDATE expenses SET notes = NULL WHERE id IN ${list(ids.nil)};
    INSERT INTO expenses (id, date, category, amount, account)
      SELECT id, '2025-01-01', 'x', 1, 'y' FROM unnest(ARRAY[${extra.join(',')}]) AS id`);
  const inJson = Array.from({ length: 10 }, (_, at) => 150_000 + at * 777);
  await json.apply(
    inJson.map((id, at) => ({
      kind: 'change',
      change: changeOf(id, 2, at % 2 === 0 ? null : text(id).replace('12.5', '12.49')),
    })),
  );
  const planted = [...Object.values(ids).flat(), ...extra, ...inJson].toSorted((a, b) => a - b);
  expect(planted).toHaveLength(50);

  const lasting = async (mode: 'full' | 'changed') => {
    const found = await dual.compare('json', { ...options, mode });
    const named = found.differences.filter((one) => one.class !== 'in-flight');
    const subjects = named.map(({ subject }) => ('key' in subject ? 0 : subject.id));
    return { id: found.id, subjects: subjects.toSorted((a, b) => a - b) };
  };
  expect((await lasting('changed')).subjects).toEqual(planted);
  const { id, subjects } = await lasting('full');
  expect(subjects).toEqual(planted);
  const mended = await dual.repair('json', { scope: { runId: id }, keep: 'primary' });
  expect(mended.counts).toMatchObject({ repaired: 50, failed: 0, left: 0 });
  expect((await lasting('full')).subjects).toEqual([]);
  const writes = await stop();
  await vi.waitUntil(async () => (await dual.lag()) === 0, { timeout: 60_000, interval: 100 });
  expect(await dual.compare('json')).toMatchObject({ outcome: 'clean' });
  console.log(
    `${writes} writes, ${RUNS} runs without a false alarm, ${planted.length} faults mended`,
  );
}, 1_800_000);
