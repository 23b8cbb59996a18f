import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Item } from '../changes/index.ts';
import { TandemError } from '../errors.ts';
import { openJsonStore } from '../json/index.ts';
import { recordingLog } from '../testing/recording-log.ts';
import {
  chainOf,
  createReplicationFixture,
  type ReplicationFixture,
} from '../testing/replication-fixture.ts';
import {
  allEntries,
  changeOf,
  expense,
  expenseText,
  randomFrom,
  seedOf,
  shuffled,
} from '../testing/store-fixture.ts';
import { until } from '../testing/until.ts';
import { readBacklog } from './backlog.ts';
import { listDeadLetters } from './dead-letters.ts';
import { type DirectionOptions, type DirectionWorker, startDirection } from './direction-worker.ts';
import { QUEUES } from './job-sink.ts';
import { retireSuperseded } from './retire-superseded.ts';

let fixture: ReplicationFixture;
const running: DirectionWorker[] = [];

beforeAll(async () => {
  fixture = await createReplicationFixture();
});
afterAll(() => fixture.drop());
beforeEach(() => fixture.clear());
afterEach(async () => {
  await Promise.all(running.splice(0).map((worker) => worker.stop({ drainTimeoutMs: 0 })));
});

function work(options: Partial<DirectionOptions> = {}) {
  const log = recordingLog();
  const { store, queues, collections } = fixture;
  const worker = startDirection({
    ...{ direction: 'postgres', store, queues, collections, log },
    ...options,
  });
  running.push(worker);
  return { worker, log };
}

const deadLetters = () => listDeadLetters(fixture.pool, 'postgres');

test('I4: shuffled, repeated and stale jobs leave the newest state of every record', async () => {
  const seed = seedOf();
  const random = randomFrom(seed);
  const chains = Array.from({ length: 60 }, (_, index) =>
    chainOf(index + 1, 1 + Math.floor(random() * 6), random() < 0.3),
  );
  const changes = chains.flat();
  const stale = changes.filter(() => random() < 0.5);
  await fixture.enqueue('postgres', shuffled([...changes, ...stale], random));
  work({ batchJobsMax: 23 });
  await fixture.drained('postgres');
  const newest = chains.flatMap((chain) => chain.at(-1) ?? []);
  const entries = (await allEntries(fixture.store)).map(({ id, version, text }) => [
    id,
    version,
    text,
  ]);
  expect(entries, `seed ${seed}`).toEqual(
    newest.map(({ id, version, record }) => [id, version, record]),
  );
  expect(await deadLetters()).toEqual([]);
});

test('the guide’s messages say what was done, superseded changes only at debug', async () => {
  const { log } = work();
  await fixture.enqueue('postgres', chainOf(5, 3, true));
  await fixture.drained('postgres');
  await fixture.enqueue('postgres', chainOf(5, 1));
  await fixture.drained('postgres');
  await until('all is logged', () => log.sentences('debug').length > 0);
  expect(log.sentences('info').toSorted()).toEqual([
    'Dual-write: Created expense 5 in database',
    'Dual-write: Deleted expense 5 from database',
    'Dual-write: Updated expense 5 in database',
  ]);
  expect(log.lines.find(({ level }) => level === 'info')?.fields).toMatchObject({
    collection: 'expense',
    id: 5,
    epoch: 1,
    direction: 'postgres',
  });
});

test('I2: one poisoned record among 500 is dead-lettered alone, with its cause', async () => {
  await fixture.pool.query(`ALTER TABLE expenses ADD CONSTRAINT poison CHECK (id <> 250)`);
  try {
    const { log } = work();
    const changes = Array.from({ length: 500 }, (_, index) => chainOf(index + 1, 1)).flat();
    await fixture.enqueue('postgres', changes);
    await fixture.drained('postgres');
    const letters = await deadLetters();
    expect(letters).toHaveLength(1);
    expect(letters[0]).toMatchObject({
      cause: 'rejected',
      failures: 1,
      error: expect.stringContaining('poison'),
      item: { kind: 'change', change: { collection: 'expense', id: 250 } },
    });
    const { rows } = await fixture.pool.query('SELECT count(*)::int AS held FROM expenses');
    expect(rows[0].held).toBe(499);
    expect(log.sentences('warn')).toEqual([
      expect.stringMatching(/^Dual-write failed for expense 250: .*poison/),
    ]);
  } finally {
    await fixture.pool.query('ALTER TABLE expenses DROP CONSTRAINT poison');
  }
});

test('I2: a record that a trigger refuses in a way of its own holds up no other', async () => {
  await fixture.pool.query(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.id = 1 THEN RAISE 'no' USING ERRCODE = 'TD001'; END IF;
      IF NEW.id = 2 THEN RAISE no_data_found; END IF;
      IF NEW.id = 3 THEN RAISE with_check_option_violation; END IF;
      RETURN NEW; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON expenses FOR EACH ROW EXECUTE FUNCTION refuse()`);
  try {
    await fixture.enqueue(
      'postgres',
      [1, 2, 3, 4].flatMap((id) => chainOf(id, 1)),
    );
    const { log } = work();
    await until('they are refused alone', async () => (await deadLetters()).length === 3);
    expect((await allEntries(fixture.store)).map(({ id }) => id)).toEqual([4]);
    expect(log.sentences('warn')).toHaveLength(3);
  } finally {
    await fixture.pool.query('DROP FUNCTION refuse CASCADE');
  }
});

test('I2: a job is taken although the clock of the server was set back after it was inserted', async () => {
  await fixture.enqueue('postgres', chainOf(1, 1));
  await fixture.pool.query(`UPDATE pgboss.job SET start_after = start_after + interval '1 hour',
    created_on = created_on + interval '1 hour'`);
  const { worker } = work();
  await worker.stop({ drainTimeoutMs: 20_000 });
  expect(await allEntries(fixture.store)).toHaveLength(1);
});

test('a dead letter whose record moved on is retired, one that still matters stays', async () => {
  await fixture.pool.query(
    `ALTER TABLE expenses ADD CONSTRAINT poison CHECK (notes NOT LIKE '%1')`,
  );
  const { log } = work();
  const [first, second] = chainOf(7, 2);
  const [other] = chainOf(8, 1);
  await fixture.enqueue(
    'postgres',
    [first, other].flatMap((change) => change ?? []),
  );
  await fixture.drained('postgres');
  expect(await deadLetters()).toHaveLength(2);
  await fixture.pool.query('ALTER TABLE expenses DROP CONSTRAINT poison');
  await fixture.enqueue('postgres', second === undefined ? [] : [second]);
  await fixture.drained('postgres');
  const { pool, store, collections } = fixture;
  expect(await retireSuperseded({ pool, direction: 'postgres', store, collections, log })).toBe(1);
  expect((await deadLetters()).map(({ item }) => item)).toMatchObject([{ change: { id: 8 } }]);
});

test('I4: conflicts and forks stand as dead letters, and are never retired by themselves', async () => {
  const [created] = chainOf(3, 1);
  if (created === undefined) throw new Error('There is no change.');
  work();
  await fixture.enqueue('postgres', [
    created,
    changeOf(4, { epoch: 1, version: 3 }, { epoch: 1, version: 2 }, expenseText(4, 'ours')),
  ]);
  await fixture.drained('postgres');
  await fixture.enqueue('postgres', [
    { ...created, record: expenseText(3, 'other content') },
    changeOf(4, { epoch: 2, version: 3 }, { epoch: 1, version: 2 }, expenseText(4, 'theirs')),
  ]);
  await fixture.drained('postgres');
  expect((await deadLetters()).map(({ cause }) => cause).toSorted()).toEqual(['conflict', 'fork']);
  await fixture.enqueue('postgres', [
    changeOf(3, { epoch: 1, version: 2 }, { epoch: 1, version: 1 }, expenseText(3, 'later')),
  ]);
  await fixture.drained('postgres');
  const { pool, store, collections } = fixture;
  const log = recordingLog();
  expect(await retireSuperseded({ pool, direction: 'postgres', store, collections, log })).toBe(0);
  expect(await store.get(expense, 4)).toMatchObject({ text: expenseText(4, 'ours') });
});

test('a job that carries no change is dead-lettered with a reason and stops nothing', async () => {
  const boss = await fixture.queues.ready();
  await boss.insert(QUEUES.postgres, [
    { data: { hello: 'world' } },
    { data: { format: 1, kind: 'change', change: { collection: 'expense', id: 'x' } } },
    { data: { format: 1, kind: 'change', change: { ...chainOf(1, 1)[0], collection: 'budget' } } },
    {},
  ]);
  const { log } = work();
  await fixture.enqueue('postgres', chainOf(9, 1));
  await fixture.drained('postgres');
  expect((await deadLetters()).map(({ cause }) => cause).toSorted()).toEqual([
    'malformed',
    'malformed',
    'malformed',
    'unknown-collection',
  ]);
  expect(await fixture.store.get(expense, 9)).toBeDefined();
  expect(log.sentences('warn')).toContain(
    'Dual-write failed for a job: This job carries no change: its format is not 1.',
  );
});

test('a record that provokes a defect is tried again, then dead-lettered, NUL in its error', async () => {
  const { store } = fixture;
  let attempts = 0;
  const faulty = {
    ...store,
    async apply(items: readonly Item[]) {
      const bad = items.some((item) => item.kind === 'change' && item.change.id === 13);
      if (!bad) return store.apply(items);
      if (items.length === 1) attempts += 1;
      throw new Error('boom \0 and \ud800');
    },
  };
  const changes = Array.from({ length: 20 }, (_, index) => chainOf(index + 1, 1)).flat();
  await fixture.enqueue('postgres', changes);
  const { log } = work({ store: faulty, recordFailuresMax: 2 });
  await fixture.drained('postgres');
  expect(attempts).toBe(2);
  expect(await deadLetters()).toMatchObject([
    { cause: 'defect', failures: 2, error: 'boom � and �', item: { change: { id: 13 } } },
  ]);
  expect(await allEntries(store)).toHaveLength(19);
  expect(log.sentences('warn')).toHaveLength(2);
});

test('I5: an unavailable secondary pauses the direction once and uses up nothing', async () => {
  const { store } = fixture;
  let away = true;
  let refused = 0;
  const faulty = {
    ...store,
    async apply(items: readonly Item[]) {
      if (!away) return store.apply(items);
      refused += 1;
      throw new TandemError('storage-full', 'The disk is full.');
    },
  };
  await fixture.enqueue('postgres', Array.from({ length: 40 }, (_, n) => chainOf(n + 1, 1)).flat());
  const { worker, log } = work({ store: faulty, probe: { minMs: 5, maxMs: 20 } });
  await until('several probes were refused', () => refused > 10);
  expect(worker.status()).toMatchObject({ state: 'paused', pausedBecause: 'The disk is full.' });
  expect(log.sentences('warn')).toEqual([
    expect.stringMatching(/paused since .*, 40 jobs wait: The disk is full\.$/),
  ]);
  away = false;
  await fixture.drained('postgres');
  const { rows } = await fixture.pool.query('SELECT max(retry_count) AS retries FROM pgboss.job');
  expect(rows[0].retries ?? 0).toBe(0);
  expect(log.sentences('info').filter((sentence) => /resumed/.test(sentence))).toHaveLength(1);
  expect(await readBacklog(fixture.pool)).toMatchObject({ total: 0, deadLetters: 0 });
  expect(await allEntries(store)).toHaveLength(40);
});

test('stopping gives back what was not begun, and a drain leaves nothing', async () => {
  await fixture.enqueue('postgres', Array.from({ length: 90 }, (_, n) => chainOf(n + 1, 1)).flat());
  const { worker } = work({ batchJobsMax: 10 });
  await until('some are settled', () => worker.status().settled > 0);
  await worker.stop({ drainTimeoutMs: 0 });
  const left = await readBacklog(fixture.pool);
  expect(left.queues[QUEUES.postgres]?.active).toBe(0);
  expect(left.total).toBe(90 - worker.status().settled);
  const second = work({ batchJobsMax: 10 });
  await second.worker.stop({ drainTimeoutMs: 30_000 });
  expect((await readBacklog(fixture.pool)).total).toBe(0);
});

test('I2: two workers at once lose nothing and dead-letter nothing', async () => {
  await fixture.enqueue(
    'postgres',
    Array.from({ length: 600 }, (_, n) => chainOf(n + 1, 2)).flat(),
  );
  work({ batchJobsMax: 50 });
  work({ batchJobsMax: 50 });
  await fixture.drained('postgres');
  expect((await allEntries(fixture.store)).map(({ version }) => version)).toEqual(
    Array.from({ length: 600 }, () => 2),
  );
  expect(await deadLetters()).toEqual([]);
});

test('I4: JSON as the secondary ends in the newest state too, and says so in its own words', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'tandem-direction-'));
  const json = await openJsonStore({ directory, collections: fixture.collections });
  const random = randomFrom(seedOf());
  const chains = Array.from({ length: 40 }, (_, n) => chainOf(n + 1, 3, n % 4 === 0));
  await fixture.enqueue('json', shuffled([...chains.flat(), ...chains.flat()], random));
  const { worker, log } = work({
    direction: 'json',
    store: json,
    exclusive: true,
    batchJobsMax: 17,
  });
  await fixture.drained('json');
  await worker.stop({ drainTimeoutMs: 0 });
  expect((await allEntries(json)).map(({ id, text }) => [id, text])).toEqual(
    chains.map((chain) => [chain[2]?.id, chain[2]?.record]),
  );
  expect(log.sentences('info')).toContain('Dual-write: Deleted expense 1 from JSON');
  expect(await listDeadLetters(fixture.pool, 'json')).toEqual([]);
  await json.close();
  rmSync(directory, { recursive: true, force: true });
});

test('the only worker of a direction takes a dead predecessor’s claims back at once', async () => {
  await fixture.enqueue('postgres', chainOf(1, 1));
  const boss = await fixture.queues.ready();
  expect(await boss.fetch(QUEUES.postgres, { batchSize: 10 })).toHaveLength(1);
  const { worker } = work({ exclusive: true });
  await worker.stop({ drainTimeoutMs: 30_000 });
  expect(await fixture.store.get(expense, 1)).toBeDefined();
});

test('I5: a batch that is too much for the secondary is taken in smaller ones', async () => {
  const refused: number[] = [];
  const store = new Proxy(fixture.store, {
    get(target, name) {
      if (name !== 'apply') return Reflect.get(target, name);
      return async (items: readonly Item[]) => {
        if (items.length <= 40) return target.apply(items);
        refused.push(items.length);
        throw new TandemError('unavailable', 'It took longer than a transaction may.');
      };
    },
  });
  await fixture.enqueue(
    'postgres',
    Array.from({ length: 400 }, (_, index) => chainOf(index + 1, 1)).flat(),
  );
  work({ store, batchJobsMax: 200, probe: { minMs: 5, maxMs: 20 } });
  await fixture.drained('postgres');
  expect(await allEntries(fixture.store)).toHaveLength(400);
  expect(refused.length).toBeLessThan(40);
});
