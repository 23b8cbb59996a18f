import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Write } from '../changes/index.ts';
import { lastVerify } from '../postgres/index.ts';
import { type DualStores, openDualStores } from '../testing/dual-stores.ts';
import {
  changeOf,
  create,
  expense,
  expenseText,
  income,
  run,
  setOf,
  valuesOf,
} from '../testing/store-fixture.ts';
import { until } from '../testing/until.ts';
import type { VerifyRun } from './verify-run.ts';

let dual: DualStores;
beforeEach(async () => {
  dual = await openDualStores('json-primary');
});
afterEach(() => dual.drop());

const NONE = {
  ...{ 'in-flight': 0, 'dead-lettered': 0, 'mapping-error': 0, fork: 0, conflict: 0 },
  divergent: 0,
};
/** Enough to look twice, too little to wait for what never comes. */
const IMPATIENT = { patienceMs: 300 };

const keyed = (key: string): Write => ({
  command: { op: 'create', collection: income, values: valuesOf({ notes: key }, income) },
  key: { key, fingerprint: 'f' },
});

/** What a run found, shortly: class, kind and subject. */
const summary = ({ differences }: VerifyRun) =>
  differences
    .map(({ class: name, kind, subject }) =>
      'key' in subject
        ? `${name} ${kind} key ${subject.key}`
        : `${name} ${kind} ${subject.collection} ${subject.id}`,
    )
    .toSorted();

test('equal stores are clean: deletions, keys and all; the run is kept with its watermark', async () => {
  for (let n = 0; n < 25; n++) await create(dual.json);
  await run(dual.json, { op: 'bulk-delete', collection: expense, ids: [3, 4] });
  for (const key of ['é', 'k', '😀']) await dual.json.write(keyed(key));
  await dual.replicated();
  const progress: unknown[] = [];
  const found = await dual.compare('json', { onProgress: (one) => progress.push(one) });
  expect(found).toMatchObject({
    ...{ primary: 'json', outcome: 'clean', seen: 28, keysSeen: 3, counts: NONE, differences: [] },
    watermark: { epoch: 2, outboxSeq: dual.json.outbox.head() },
  });
  expect(progress.at(-1)).toMatchObject({ done: 28, total: 28 });
  expect(await lastVerify(dual.pool)).toMatchObject({
    ...{ id: found.id, outcome: 'clean', startedAt: found.startedAt },
    watermark: found.watermark,
  });
});

test('what is missing, extra, older or edited by hand is found, with both texts', async () => {
  for (let n = 0; n < 6; n++) await create(dual.json, { notes: `n${n}` });
  await dual.json.write(keyed('gone'));
  await dual.json.write(keyed('other'));
  await dual.replicated();
  await dual.pool.query(`
    DELETE FROM expenses WHERE id = 1;
    INSERT INTO expenses (id, date, category, amount, account) VALUES (77, '2025-01-01', 'x', 1, 'y');
    UPDATE expenses SET notes = 'typed in psql' WHERE id = 2;
    UPDATE expenses SET epoch = 1 WHERE id = 3;
    UPDATE expenses SET version = 9 WHERE id = 4;
    INSERT INTO tombstones VALUES ('expense', 500, 2, 1, now());
    DELETE FROM idempotency_keys WHERE key = 'gone';
    UPDATE idempotency_keys SET outcome = '{}' WHERE key = 'other';
    INSERT INTO idempotency_keys VALUES ('extra', 'f', '{}', now());
    INSERT INTO idempotency_keys VALUES ('old', 'f', '{}', now() - interval '25 hours')`);
  const found = await dual.compare('json');
  expect(found.outcome).toBe('differences');
  expect(summary(found)).toEqual([
    'conflict different expense 2',
    'conflict different key other',
    'divergent different expense 4',
    'divergent extra expense 77',
    'divergent extra key extra',
    'divergent missing expense 1',
    'divergent missing key gone',
    'fork different expense 3',
  ]);
  const edited = found.differences.find(
    ({ kind, class: name }) => `${name} ${kind}` === 'conflict different',
  );
  expect(edited?.primary?.text).toContain('"notes":"n1"');
  expect(edited?.secondary?.text).toContain('"notes":"typed in psql"');
  const { rows } = await dual.pool.query(
    `SELECT primary_text, secondary_text FROM verify_differences WHERE run_id = $1 AND record_id = 2`,
    [found.id],
  );
  expect(rows).toEqual([
    { primary_text: edited?.primary?.text, secondary_text: edited?.secondary?.text },
  ]);
});

test('a dead letter, a mapping error, a conflict and a fork are called what they are', async () => {
  for (let n = 0; n < 4; n++) await create(dual.json);
  await dual.replicated();
  await dual.pool.query(`
    ALTER TABLE expenses ADD CONSTRAINT poison CHECK (notes <> 'poison');
    UPDATE expenses SET version = 1, epoch = 1, notes = 'another chain' WHERE id = 2;
    UPDATE expenses SET notes = 'another state' WHERE id = 3`);
  await run(dual.json, {
    op: 'update',
    collection: expense,
    id: 1,
    set: setOf({ notes: 'poison' }),
  });
  const misfit = expenseText(9, 'misfit').replace('2025-12-07', 'some day');
  const change = changeOf(9, { epoch: 2, version: 1 }, null, misfit);
  await dual.json.apply([{ kind: 'change', change }]);
  await dual.enqueue('postgres', [change]);
  await dual.replicated();
  const found = await dual.compare('json');
  expect(summary(found)).toEqual([
    'conflict different expense 3',
    'dead-lettered different expense 1',
    'fork different expense 2',
    'mapping-error missing expense 9',
  ]);
  const letter = found.differences.find((one) => one.class === 'dead-lettered');
  expect(letter?.detail).toContain('poison');
  expect(found.differences.find((one) => one.class === 'mapping-error')?.detail).toMatch(/^date /);
});

test('what waits in the journal or in the queue is in flight, and nothing else', async () => {
  await create(dual.json);
  await dual.json.write(keyed('k'));
  const inJournal = await dual.compare('json', IMPATIENT);
  expect(inJournal).toMatchObject({ outcome: 'inconclusive', counts: { ...NONE, 'in-flight': 3 } });
  const relay = dual.relay();
  await until('it is relayed', () => relay.status().pending === 0);
  const inQueue = await dual.compare('json', IMPATIENT);
  expect(summary(inQueue)).toEqual([
    'in-flight missing expense 1',
    'in-flight missing income 1',
    'in-flight missing key k',
  ]);
  // The run that is patient sees them arrive.
  const patient = dual.compare('json');
  dual.work('postgres');
  expect(await patient).toMatchObject({ outcome: 'clean', counts: NONE });
});

test('a difference is named only after the lag had passed', async () => {
  await create(dual.json);
  await dual.replicated();
  await dual.pool.query('DELETE FROM expenses');
  // Something else waits in the journal: what it holds up could explain anything.
  await create(dual.json, {}, income);
  const early = await dual.compare('json', IMPATIENT);
  expect(early.counts).toEqual({ ...NONE, 'in-flight': 2 });
  const late = dual.compare('json');
  await dual.replicated();
  expect(summary(await late)).toEqual(['divergent missing expense 1']);
});

test('a record that never rests is in flight, and does not keep a run from being clean', async () => {
  await create(dual.json);
  await create(dual.json);
  await dual.replicated();
  const touch = async () => {
    const set = setOf({ notes: crypto.randomUUID() });
    await run(dual.json, { op: 'update', collection: expense, id: 1, set });
  };
  await touch();
  const restless = {
    ...{ name: 'json' as const, get: dual.json.get.bind(dual.json) },
    ...{ page: dual.json.page.bind(dual.json), list: dual.json.list.bind(dual.json) },
    ...{ scan: dual.json.scan.bind(dual.json), scanKeys: dual.json.scanKeys.bind(dual.json) },
    ...{ keys: dual.json.keys.bind(dual.json), keysSince: dual.json.keysSince.bind(dual.json) },
    digests: dual.json.digests.bind(dual.json),
    count: dual.json.count.bind(dual.json),
    idHighWater: () => dual.json.idHighWater(),
    async entries(...asked: Parameters<typeof dual.json.entries>) {
      await touch();
      return dual.json.entries(...asked);
    },
  };
  const found = await dual.compare('json', { primary: restless, ...IMPATIENT });
  expect(found).toMatchObject({ outcome: 'clean', counts: { ...NONE, 'in-flight': 1 } });
});

test('an aborted run rejects with the reason, and stands as one that never finished', async () => {
  await create(dual.json);
  const abort = new AbortController();
  const cut = dual.compare('json', { signal: abort.signal });
  abort.abort(new Error('The operator has seen enough.'));
  await expect(cut).rejects.toThrow('The operator has seen enough.');
  expect(await lastVerify(dual.pool)).toBeUndefined();
  const { rows } = await dual.pool.query('SELECT finished_at, outcome FROM verify_runs');
  expect(rows).toEqual([{ finished_at: null, outcome: null }]);
});

test('more differences than are listed are counted', async () => {
  const ids = Array.from({ length: 6_000 }, (_, index) => index + 1);
  for (let from = 0; from < ids.length; from += 1_000) {
    await dual.json.apply(
      ids.slice(from, from + 1_000).map((id) => ({
        kind: 'change',
        change: changeOf(id, { epoch: 1, version: 1 }, null, expenseText(id, 'only here')),
      })),
    );
  }
  const found = await dual.compare('json');
  expect(found.counts).toEqual({ ...NONE, divergent: 6_000 });
  expect(found.differences).toHaveLength(100);
});
