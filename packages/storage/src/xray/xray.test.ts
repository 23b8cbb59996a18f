import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { jsonRecords } from '../json/index.ts';
import { auditLog, createPool, postgresRecords } from '../postgres/index.ts';
import { actOnDeadLetters } from '../replication/dead-letter-acts.ts';
import { recordJobs } from '../replication/index.ts';
import { type DualStores, openDualStores } from '../testing/dual-stores.ts';
import {
  changeOf,
  create,
  expense,
  expenseText,
  run,
  setOf,
  valuesOf,
} from '../testing/store-fixture.ts';
import { type RecordXray, type XrayPorts, xrayRecord } from './index.ts';

let dual: DualStores;
beforeAll(async () => {
  dual = await openDualStores('json-primary');
});
afterAll(() => dual.drop());
beforeEach(() => dual.pool.query('ALTER TABLE expenses DROP CONSTRAINT IF EXISTS poison'));
afterEach(() => dual.rest());

const portsOf = ({ collections, directory, pool }: DualStores): XrayPorts => ({
  ...{ collections, json: jsonRecords(directory) },
  database: { records: postgresRecords(pool, collections), jobs: recordJobs(pool) },
});
const xray = (id: number, more: Partial<XrayPorts> = {}): Promise<RecordXray> =>
  xrayRecord({ collection: 'expense', id }, { ...portsOf(dual), ...more });
const update = (id: number, body: Record<string, unknown>) =>
  run(dual.json, { op: 'update', collection: expense, id, set: setOf(body) });

test('a change is seen wherever it is: journal, queue, secondary, and as a dead letter', async () => {
  const command = {
    op: 'create',
    collection: expense,
    values: valuesOf({ notes: 'one' }),
  } as const;
  const made = await dual.json.write({ command, key: { key: 'k1', fingerprint: 'f' } });
  const id = made.kind === 'created' ? made.id : 0;

  const inJournal = await xray(id);
  expect(inJournal).toMatchObject({
    ...{ phase: 'json-primary', primary: 'json', secondary: 'postgres', same: false },
    verdict: 'A change of it is in the journal and not in the queue yet.',
    json: { readable: true, state: 'live', stamp: { epoch: 2, version: 1 }, base: null },
    postgres: { readable: true, state: 'none', stamp: null },
    notRelayed: [{ stamp: { version: 1 } }],
    keys: [{ key: 'k1', knownTo: ['json'] }],
    history: [{ version: 1, op: 'create', knownFrom: ['journal', 'json store'] }],
  });

  await dual.relay().stop({ drainTimeoutMs: 30_000 });
  expect(await xray(id)).toMatchObject({
    ...{ same: false, verdict: 'A change of it is on its way.', notRelayed: [] },
    jobs: [{ direction: 'postgres', state: 'waiting', change: { version: 1 }, error: null }],
  });

  await dual.replicated();
  expect(await xray(id)).toMatchObject({
    ...{ same: true, verdict: 'Both stores hold the same state.', jobs: [] },
    keys: [{ key: 'k1', knownTo: ['json', 'postgres'] }],
  });

  await dual.pool.query(`ALTER TABLE expenses ADD CONSTRAINT poison CHECK (notes <> 'two')`);
  await update(id, { notes: 'two', amount: '7.50' });
  await dual.replicated();
  const dead = await xray(id);
  expect(dead.verdict).toMatch(/^A change of it is a dead letter: .*poison/);
  expect(dead).toMatchObject({
    ...{ json: { stamp: { version: 2 } }, postgres: { stamp: { version: 1 } } },
    jobs: [{ state: 'dead', cause: 'rejected', failures: 1, attempts: [{ cause: 'rejected' }] }],
  });
  expect(dead.fields.filter(({ differs }) => differs)).toEqual([
    { name: 'amount', json: '7.5', postgres: '150.5', differs: true },
    { name: 'notes', json: '"two"', postgres: '"one"', differs: true },
  ]);

  await actOnDeadLetters(
    'discard',
    { recordId: id },
    { pool: dual.pool, audit: auditLog, actor: 'ann', reason: 'not wanted' },
  );
  const discarded = await xray(id);
  expect(discarded).toMatchObject({
    verdict: 'The stores differ, and nothing on its way explains it.',
    acts: [{ actor: 'ann', action: 'discard-dead-letters', reason: 'not wanted', version: 2 }],
    jobs: [],
  });
  expect(discarded.history[0]?.knownFrom).toContain('discarded letter');

  await run(dual.json, { op: 'delete', collection: expense, id });
  await dual.replicated();
  expect(await xray(id)).toMatchObject({
    ...{ same: true, verdict: 'Neither store holds it.', fields: [] },
    ...{ json: { state: 'deleted' }, postgres: { state: 'deleted', stamp: { version: 3 } } },
  });
});

test('a fork is shown with both sides, a record that nobody has as none', async () => {
  const { id } = await create(dual.json);
  await update(id, { notes: 'ours' });
  await dual.replicated();
  const theirs = expenseText(id, 'theirs');
  await dual.enqueue('postgres', [
    changeOf(id, { epoch: 3, version: 2 }, { epoch: 2, version: 1 }, theirs),
  ]);
  await dual.work('postgres').stop({ drainTimeoutMs: 30_000 });
  expect(await xray(id)).toMatchObject({
    verdict: 'A fork waits for a decision.',
    divergences: [{ class: 'fork', resolvedAt: null }],
    jobs: [{ state: 'dead', cause: 'fork' }],
  });
  expect(await xray(999_999)).toMatchObject({
    ...{ same: true, verdict: 'Neither store holds it.', history: [], fields: [] },
  });
  const wrong = xrayRecord(
    { collection: 'expanse', id },
    { collections: dual.collections, json: jsonRecords(dual.directory), database: 'None.' },
  );
  await expect(wrong).rejects.toMatchObject({ code: 'not-found' });
});

test('what can not be read is said, and the rest is shown', async () => {
  const { id, text } = await create(dual.json);
  await dual.replicated();
  const pool = createPool('postgres://nobody@127.0.0.1:1/none', { applicationName: 'test' });
  onTestFinished(() => pool.end());
  const away = { records: postgresRecords(pool, dual.collections), jobs: recordJobs(pool) };
  expect(await xray(id, { database: away })).toMatchObject({
    ...{ same: null, jobs: null, notRelayed: null, phase: 'json-primary' },
    verdict: 'PostgreSQL can’t be read; the JSON store alone is shown.',
    json: { readable: true, text },
    postgres: { readable: false, problem: expect.stringContaining('not available') },
  });
  expect(await xray(id, { database: 'There is no database yet.' })).toMatchObject({
    postgres: { readable: false, problem: 'There is no database yet.' },
  });
  const nowhere = await xray(id, { json: jsonRecords(`${dual.directory}/nowhere`) });
  expect(nowhere).toMatchObject({
    ...{ same: null, verdict: 'The JSON store can’t be read; PostgreSQL alone is shown.' },
    json: { readable: false, problem: expect.stringContaining('There is no JSON store in ') },
    postgres: { readable: true, text },
  });
  expect(nowhere.fields[0]).toEqual({
    ...{ name: 'date', json: null, postgres: '"2025-12-07"', differs: null },
  });
});

test('the X-ray follows the primary: to PostgreSQL, and to where it stands alone', async () => {
  const other = await openDualStores('postgres-primary');
  onTestFinished(() => other.drop());
  const look = (id: number) => xrayRecord({ collection: 'expense', id }, portsOf(other));
  const { id } = await create(other.store, { notes: 'one' });
  expect(await look(id)).toMatchObject({
    ...{ phase: 'postgres-primary', primary: 'postgres', secondary: 'json', same: false },
    ...{ verdict: 'A change of it is on its way.', notRelayed: [] },
    json: { state: 'none' },
    jobs: [{ direction: 'json', state: 'waiting', change: { op: 'create' } }],
  });
  await other.work('json').stop({ drainTimeoutMs: 30_000 });
  expect(await look(id)).toMatchObject({ same: true, jobs: [], json: { state: 'live' } });
  // Typed into psql: no change of it is anywhere.
  await other.pool.query(`UPDATE expenses SET notes = 'typed' WHERE id = ${id}`);
  const typed = await look(id);
  expect(typed.verdict).toBe('The stores differ, and nothing on its way explains it.');
  expect(typed.fields.filter(({ differs }) => differs)).toEqual([
    { name: 'notes', json: '"one"', postgres: '"typed"', differs: true },
  ]);
  const move = { actor: 'test', reason: 'The test says so.', evidence: {} };
  await other.store.phase.advance(2, { phase: 'postgres-only', epoch: 3 }, move);
  expect(await look(id)).toMatchObject({
    ...{ phase: 'postgres-only', secondary: null },
    verdict: 'In postgres-only the other store is not written.',
  });
});
