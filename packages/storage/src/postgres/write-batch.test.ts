import pg from 'pg';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { MOVE, type OpenedPostgres, openTestStore } from '../testing/postgres-fixture.ts';
import {
  allTexts,
  create,
  expense,
  income,
  run,
  setOf,
  valuesOf,
} from '../testing/store-fixture.ts';
import { SWITCH_LOCK } from './locks.ts';

let opened: OpenedPostgres;
beforeEach(async () => {
  opened = await openTestStore('postgres-primary');
});
afterEach(() => opened.close());

const ask = async (sql: string): Promise<unknown[][]> =>
  (await opened.database.pool.query({ text: sql, rowMode: 'array' })).rows;

/** A connection of a test's own, as of another process. */
async function connected<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: opened.database.url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Waits until as many sessions wait for a lock of PostgreSQL. */
const untilWaiting = (count: number) =>
  vi.waitFor(
    async () => {
      const [row] = await ask('SELECT count(*)::integer FROM pg_locks WHERE NOT granted');
      expect(row?.[0]).toBe(count);
    },
    { timeout: 10_000 },
  );

test('one write that the table refuses fails alone, its neighbours go through', async () => {
  const { store, database, jobs } = opened;
  await database.pool.query(`ALTER TABLE expenses ADD CHECK (notes <> 'poison')`);
  const notes = Array.from({ length: 100 }, (_, index) => (index === 37 ? 'poison' : `n${index}`));
  const results = await Promise.allSettled(notes.map((text) => create(store, { notes: text })));
  const failed = results.flatMap((result) => (result.status === 'rejected' ? [result] : []));
  expect(failed).toHaveLength(1);
  expect(results[37]).toMatchObject({ reason: { code: 'invalid' } });
  expect(failed[0]?.reason.message).toMatch(/violates check constraint "expenses_notes_check"/);
  expect(await allTexts(store)).toHaveLength(99);
  // What a rolled back transaction had handed to the queue was rolled back with it.
  expect(jobs.length).toBeGreaterThanOrEqual(99);
});

test('a refused write does not use up its key', async () => {
  const { store, database } = opened;
  await database.pool.query(`ALTER TABLE expenses ADD CONSTRAINT c CHECK (notes <> 'poison')`);
  const write = {
    command: { op: 'create', collection: expense, values: valuesOf({ notes: 'poison' }) },
    key: { key: 'k', fingerprint: 'f' },
  } as const;
  await expect(store.write(write)).rejects.toMatchObject({ code: 'invalid' });
  await database.pool.query('ALTER TABLE expenses DROP CONSTRAINT c');
  expect((await store.write(write)).kind).toBe('created');
});

test('I2: a change and its key are handed over in the transaction that stores them', async () => {
  const { store, jobs, database } = opened;
  const key = { key: 'k', fingerprint: 'f' };
  const values = valuesOf();
  const outcome = await store.write({
    command: { op: 'create', collection: expense, values },
    key,
  });
  const again = await store.write({ command: { op: 'create', collection: expense, values }, key });
  expect(again).toEqual(outcome);
  expect(jobs).toMatchObject([
    { kind: 'change', change: { id: 1, op: 'create', epoch: 1, version: 1, idempotencyKey: 'k' } },
    { kind: 'key', key: { ...key, outcome: JSON.stringify(outcome) } },
  ]);
  const failing = opened.another({
    pool: database.pool,
    jobs: {
      insert: async (client) => {
        await client.query('SELECT * FROM no_such_queue');
      },
    },
  });
  await expect(create(failing)).rejects.toMatchObject({ code: 'storage-failed' });
  expect(await allTexts(store)).toHaveLength(1);

  const alone = { phase: 'postgres-only', epoch: 2 } as const;
  expect(await store.phase.advance(1, alone, MOVE)).toBe(true);
  await create(store);
  expect(jobs).toHaveLength(2);
});

test('I3: a write after another process moved the phase is refused', async () => {
  const other = opened.another();
  await create(opened.store);
  expect(await other.phase.advance(1, { phase: 'json-primary', epoch: 2 }, MOVE)).toBe(true);
  await expect(create(opened.store)).rejects.toMatchObject({ code: 'not-primary' });
  expect(await other.phase.advance(2, { phase: 'postgres-primary', epoch: 3 }, MOVE)).toBe(true);
  expect((await create(opened.store)).epoch).toBe(3);
  expect(await other.phase.advance(3, { sealed: true }, MOVE)).toBe(true);
  await expect(create(opened.store)).rejects.toMatchObject({ code: 'not-primary' });
});

test('I3: a write that waited for a switch decides by what the switch left', async () => {
  await connected(async (client) => {
    await client.query(`BEGIN; SELECT pg_advisory_xact_lock(${SWITCH_LOCK})`);
    const writing = expect(create(opened.store)).rejects.toMatchObject({ code: 'not-primary' });
    await untilWaiting(1);
    await client.query(`UPDATE phase_state SET phase = 'json-primary', epoch = 2`);
    await client.query('COMMIT');
    await writing;
  });
});

test('I3: so it does where the database or the role is set to another isolation level', async () => {
  for (const level of ['repeatable\\ read', 'serializable']) {
    const url = new URL(opened.database.url);
    url.searchParams.set('options', `-c default_transaction_isolation=${level}`);
    const elsewhere = opened.another({ url: url.href });
    await connected(async (client) => {
      await client.query(`BEGIN; SELECT pg_advisory_xact_lock(${SWITCH_LOCK})`);
      const writing = expect(create(elsewhere)).rejects.toMatchObject({ code: 'not-primary' });
      await untilWaiting(1);
      await client.query('UPDATE phase_state SET sealed = true');
      await client.query('COMMIT');
      await writing;
      await client.query('UPDATE phase_state SET sealed = false');
    });
  }
});

test('I3: the phase moves only after the write transactions under way', async () => {
  await connected(async (client) => {
    await client.query(`BEGIN; SELECT pg_advisory_xact_lock_shared(${SWITCH_LOCK})`);
    let moved = false;
    const moving = opened.store.phase.advance(1, { epoch: 2, sealed: true }, MOVE).then((done) => {
      moved = true;
      return done;
    });
    await untilWaiting(1);
    expect(moved).toBe(false);
    expect((await opened.store.phase.read()).sealed).toBe(false);
    await client.query('COMMIT');
    expect(await moving).toBe(true);
  });
  expect(
    await ask('SELECT actor, from_phase, to_phase, epoch FROM phase_history ORDER BY id'),
  ).toEqual([
    ['test', 'json-only', 'postgres-primary', 1],
    ['test', 'postgres-primary', 'postgres-primary', 2],
  ]);
  // A compare-and-set: the epoch is another by now.
  expect(await opened.store.phase.advance(1, { sealed: false }, MOVE)).toBe(false);
  expect(await opened.store.phase.read()).toMatchObject({ epoch: 2, sealed: true });
});

test('a deadlock is met by doing the batch again', async () => {
  const { store } = opened;
  const [a, b] = [await create(store), await create(store)];
  await connected(async (client) => {
    // This session never looks for deadlocks: the store's is the one that is ended.
    await client.query(`SET deadlock_timeout = '10min'`);
    await client.query(`BEGIN; SELECT 1 FROM expenses WHERE id = ${b.id} FOR UPDATE`);
    const updates = [a, b].map(({ id }) =>
      run(store, { op: 'update', collection: expense, id, set: setOf({ notes: 'twice' }) }),
    );
    await untilWaiting(1);
    await client.query(`SELECT 1 FROM expenses WHERE id = ${a.id} FOR UPDATE`);
    await client.query('COMMIT');
    expect((await Promise.all(updates)).map(({ kind }) => kind)).toEqual(['updated', 'updated']);
  });
});

test('I9: an id that a failed transaction took, or that was typed by hand, is not given again', async () => {
  const { store, database } = opened;
  await database.pool.query(`ALTER TABLE expenses ADD CONSTRAINT c CHECK (notes <> 'poison')`);
  await expect(create(store, { notes: 'poison' })).rejects.toMatchObject({ code: 'invalid' });
  const first = await create(store);
  expect(first.id).toBeGreaterThan(1);
  await database.pool.query(
    `INSERT INTO expenses (id, date, category, amount, account) VALUES (50, '2025-01-01', 'Hand', 1, 'Cash')`,
  );
  const made = await Promise.all(Array.from({ length: 8 }, () => create(store)));
  expect(Math.min(...made.map(({ id }) => id))).toBeGreaterThan(50);
  expect(new Set(made.map(({ id }) => id)).size).toBe(8);
  expect(await store.idHighWater()).toEqual({
    expense: Math.max(...made.map(({ id }) => id)),
    income: 0,
  });
});

test('I9: the high-water is raised beside writers without giving an id twice', async () => {
  const { store } = opened;
  const other = opened.another();
  const writing = Array.from({ length: 200 }, (_, index) =>
    create(index % 2 === 0 ? store : other, {}, income),
  );
  const raising = [30, 10, 500, 60].map((mark) => store.raiseIdHighWater({ income: mark }));
  const ids = (await Promise.all(writing)).map(({ id }) => id);
  await Promise.all(raising);
  expect(new Set(ids).size).toBe(200);
  expect((await create(other, {}, income)).id).toBeGreaterThan(500);
});

test('I9: the high-water is raised only while no write transaction is under way', async () => {
  await connected(async (client) => {
    await client.query(`BEGIN; SELECT pg_advisory_xact_lock_shared(${SWITCH_LOCK})`);
    const raising = opened.store.raiseIdHighWater({ expense: 9 });
    await untilWaiting(1);
    await client.query(`SELECT setval('expenses_id_seq', 20)`);
    await client.query('COMMIT');
    await raising;
  });
  expect((await create(opened.store)).id).toBe(21);
});

test('I10: the same key in two processes at once has one effect', async () => {
  const other = opened.another();
  for (let round = 0; round < 20; round++) {
    const write = {
      command: { op: 'create', collection: expense, values: valuesOf({ notes: `${round}` }) },
      key: { key: `k${round}`, fingerprint: 'f' },
    } as const;
    const outcomes = await Promise.all([opened.store, other, other].map((s) => s.write(write)));
    for (const outcome of outcomes) expect(outcome).toEqual(outcomes[0]);
  }
  expect(await allTexts(other)).toHaveLength(20);
});

test('I10: a key lives 48 hours, then is free again and swept away', async () => {
  let at = new Date('2025-12-07T10:00:00Z');
  const store = opened.another({ now: () => at });
  const write = {
    command: { op: 'create', collection: expense, values: valuesOf() },
    key: { key: 'k', fingerprint: 'f' },
  } as const;
  const first = await store.write(write);
  at = new Date('2025-12-09T09:59:30Z');
  expect(await store.write(write)).toEqual(first);
  // Expired, and not swept away yet: that is done once a minute.
  at = new Date('2025-12-09T10:00:10Z');
  expect(await store.scanKeys('', 10)).toEqual([]);
  expect(await store.write({ ...write, key: { key: 'k', fingerprint: 'g' } })).not.toEqual(first);
  at = new Date('2025-12-20T10:00:00Z');
  await store.write({ ...write, key: { key: 'new', fingerprint: 'f' } });
  await vi.waitFor(async () => {
    expect(await ask('SELECT key FROM idempotency_keys')).toEqual([['new']]);
  });
});
