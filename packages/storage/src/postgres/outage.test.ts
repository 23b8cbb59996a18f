import type { Pool } from 'pg';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type OpenedPostgres, openTestStore } from '../testing/postgres-fixture.ts';
import {
  allTexts,
  changeOf,
  create,
  expense,
  expenseText,
  valuesOf,
} from '../testing/store-fixture.ts';
import { startTcpProxy, type TcpProxy } from '../testing/tcp-proxy.ts';
import { createPool, openPostgresStore, type PostgresStore } from './index.ts';

// `direct` reaches the server itself, `store` through a proxy that breaks.
let direct: OpenedPostgres;
let proxy: TcpProxy;
let pool: Pool;
let store: PostgresStore;

beforeAll(async () => {
  direct = await openTestStore('postgres-only');
});
afterAll(() => direct.close());

beforeEach(async () => {
  proxy = await startTcpProxy(direct.database.url);
  pool = createPool(proxy.url, { applicationName: 'through the proxy' });
  store = through(pool);
});
afterEach(async () => {
  await store.close();
  await pool.end();
  await proxy.close();
  await direct.database.pool.query('TRUNCATE expenses, tombstones, idempotency_keys');
});

const sink = { insert: async () => {} };
const through = (some: Pool): PostgresStore =>
  openPostgresStore({ pool: some, collections: direct.collections, jobs: sink });

const creation = (notes: string) =>
  ({
    command: { op: 'create', collection: expense, values: valuesOf({ notes }) },
    key: { key: `key of ${notes}`, fingerprint: 'f' },
  }) as const;

test.each([
  { delivered: true, what: 'after the server committed' },
  { delivered: false, what: 'before the server saw it' },
])('I10: COMMIT cut $what is an unknown outcome, and a retry has one effect', async (cut) => {
  await create(store);
  const happened = proxy.cutAt('COMMIT', cut);
  const notes = ['a', 'b', 'c'];
  const results = await Promise.allSettled(notes.map((text) => store.write(creation(text))));
  await happened;
  // One batch: its members share its fate.
  for (const result of results) {
    expect(result).toMatchObject({ status: 'rejected', reason: { code: 'outcome-unknown' } });
  }
  expect(await allTexts(direct.store)).toHaveLength(cut.delivered ? 4 : 1);
  for (const text of notes) expect((await store.write(creation(text))).kind).toBe('created');
  expect(await allTexts(direct.store)).toHaveLength(4);
});

test('a COMMIT that is never answered is an unknown outcome too', async () => {
  const impatient = new pg.Pool({ connectionString: proxy.url, query_timeout: 300 });
  const other = through(impatient);
  try {
    await create(other);
    const stalled = stallAtCommit(impatient);
    await expect(other.write(creation('silent'))).rejects.toMatchObject({
      code: 'outcome-unknown',
    });
    await stalled;
  } finally {
    proxy.resume();
    await other.close();
    await impatient.end();
  }
});

/** Stalls the proxy when the pool's one connection is about to send COMMIT. */
function stallAtCommit(some: Pool): Promise<void> {
  return new Promise((stalled) => {
    some.on('acquire', (client) => {
      const send = client.query.bind(client);
      client.query = ((query: unknown, ...rest: unknown[]) => {
        if (query === 'COMMIT') {
          proxy.stall();
          stalled();
        }
        return (send as (...all: unknown[]) => unknown)(query, ...rest);
      }) as typeof client.query;
    });
  });
}

test('a server that is away is unavailable to every call, and the store comes back by itself', async () => {
  const { id } = await create(store);
  proxy.refuse();
  proxy.reset();
  const change = changeOf(9, { epoch: 1, version: 1 }, null, expenseText(9, 'far'));
  const calls: (() => Promise<unknown>)[] = [
    () => create(store),
    () => store.get(expense, id),
    () => store.page(expense, { limit: 1 }),
    () => allTexts(store),
    () => store.scan(expense, 0, 1),
    () => store.scanKeys('', 1),
    () => store.idHighWater(),
    () => store.raiseIdHighWater({ expense: 5 }),
    () => store.apply([{ kind: 'change', change }]),
    () => store.phase.read(),
  ];
  for (const call of calls) await expect(call()).rejects.toMatchObject({ code: 'unavailable' });
  proxy.accept();
  expect((await store.get(expense, id))?.id).toBe(id);
  await create(store);
});

test('a pooled connection that died unseen costs the next write nothing', async () => {
  await create(store);
  proxy.cut();
  expect((await create(store)).id).toBeGreaterThan(0);
});

test('a list whose connection is lost says so', async () => {
  const changes = Array.from({ length: 5_000 }, (_, index) =>
    changeOf(index + 1, { epoch: 1, version: 1 }, null, expenseText(index + 1, 'n')),
  );
  await direct.store.apply(changes.map((change) => ({ kind: 'change', change })));
  const reading = async () => {
    for await (const chunk of store.list(expense)) {
      expect(chunk.length).toBeGreaterThan(0);
      proxy.reset();
    }
  };
  await expect(reading()).rejects.toMatchObject({ code: 'unavailable' });

  // A reader that leaves early gives its connection back, however many do.
  for (let round = 0; round < 12; round++) {
    for await (const chunk of store.list(expense)) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
  }
  expect(await allTexts(store)).toHaveLength(5_000);
});

test('the server ends the transaction of a process that fell silent', async () => {
  let seen: string[] = [];
  const watching = direct.another({
    jobs: {
      async insert(client) {
        const names = ['lock_timeout', 'idle_in_transaction_session_timeout', 'statement_timeout'];
        seen = [];
        for (const name of names) {
          const found = await client.query(`SELECT current_setting('${name}') AS value`);
          seen.push(found.rows[0]?.value);
        }
      },
    },
  });
  await direct.store.phase.advance(
    (await direct.store.phase.read()).epoch,
    { phase: 'postgres-primary' },
    { actor: 'test', reason: 'test', evidence: {} },
  );
  await create(watching);
  expect(seen).toEqual(['5s', '5s', '10s']);
});
