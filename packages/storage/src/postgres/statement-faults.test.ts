import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Command, Outcome, Write } from '../changes/index.ts';
import { isTandemError, type TandemError } from '../errors.ts';
import type { Phase } from '../phase/index.ts';
import { createJobSink, QUEUES } from '../replication/index.ts';
import { MOVE } from '../testing/postgres-fixture.ts';
import {
  createReplicationFixture,
  type ReplicationFixture,
} from '../testing/replication-fixture.ts';
import {
  type StatementFault,
  type StatementProxy,
  startStatementProxy,
} from '../testing/statement-proxy.ts';
import { allEntries, create, expense, setOf, valuesOf } from '../testing/store-fixture.ts';
import { openPostgresStore, type PostgresStore } from './index.ts';

/** A stalled statement is given up after this long. One given up too soon, on a busy machine, is an
 *  outage as good as any. */
const QUERY_TIMEOUT_MS = 1_000;

// `direct` reaches the server itself, `store` through the proxy.
let system: ReplicationFixture;
let direct: PostgresStore;
let proxy: StatementProxy;
let pool: pg.Pool;
let store: PostgresStore;

beforeAll(async () => {
  system = await createReplicationFixture();
  direct = system.store;
  proxy = await startStatementProxy(system.url);
  await system.queues.ready();
});
afterAll(async () => {
  await proxy.close();
  await system.drop();
});

beforeEach(() => {
  pool = new pg.Pool({ connectionString: proxy.url, query_timeout: QUERY_TIMEOUT_MS });
  pool.on('error', () => {}); // A broken connection is what this is about.
  const jobs = createJobSink({ queues: system.queues, queue: QUEUES.json });
  store = openPostgresStore({ pool, collections: system.collections, jobs });
});
afterEach(async () => {
  proxy.heal();
  await store.close();
  await pool.end();
});

async function enter(phase: Phase): Promise<void> {
  const { epoch } = await direct.phase.read();
  await direct.phase.advance(epoch, { phase, epoch: epoch + 1 }, MOVE);
}

/** A write that is about to meet a fault: what it asks for, and whether it has had its effect. */
interface Case {
  readonly command: Command;
  readonly done: Outcome['kind'];
  /** How often it took effect. */
  effects(): Promise<number>;
}

type Operation = 'create' | 'update' | 'delete' | 'bulk-delete';

async function prepare(operation: Operation): Promise<Case> {
  const notes = randomUUID();
  const collection = expense;
  if (operation === 'create') {
    return {
      command: { op: 'create', collection, values: valuesOf({ notes }) },
      done: 'created',
      effects: async () =>
        (await allEntries(direct)).filter(({ text }) => text?.includes(notes)).length,
    };
  }
  const [first, second] = [await create(direct), await create(direct)];
  const versions = async (): Promise<number[]> =>
    (await allEntries(direct)).filter(({ id }) => id >= first.id).map(({ version }) => version);
  if (operation === 'bulk-delete') {
    const effects = async () => {
      const [a, b] = await versions();
      expect(a, 'all or nothing').toBe(b);
      return (a ?? 0) - 1;
    };
    const ids = [second.id, first.id, first.id];
    return { command: { op: 'bulk-delete', collection, ids }, done: 'bulk-deleted', effects };
  }
  const { id } = second;
  const effects = async () => ((await versions()).at(-1) ?? 0) - 1;
  if (operation === 'delete') {
    return { command: { op: 'delete', collection, id }, done: 'deleted', effects };
  }
  const set = setOf({ notes });
  return { command: { op: 'update', collection, id, set }, done: 'updated', effects };
}

/** Jobs of changes by record and version, and of keys: each is there once and has its change (I2). */
async function expectJobsToEqualChanges(phase: Phase): Promise<void> {
  const found = await system.pool.query<{ named: string }>(
    `SELECT coalesce(data->'key'->>'key', concat(data->'change'->>'id', ' v', data->'change'->>'version'))
       AS named FROM pgboss.job WHERE name = $1`,
    [QUEUES.json],
  );
  const changes = (await allEntries(direct)).flatMap(({ id, version }) =>
    Array.from({ length: version }, (_, index) => `${id} v${index + 1}`),
  );
  const keys = (await direct.scanKeys('', 1_000)).map(({ key }) => key);
  const expected = phase === 'postgres-primary' ? [...changes, ...keys] : [];
  expect(found.rows.map(({ named }) => named).sort()).toEqual(expected.sort());
}

const answer = async (write: Write): Promise<Outcome | TandemError> => {
  try {
    return await store.write(write);
  } catch (error) {
    if (isTandemError(error)) return error;
    throw error;
  }
};

interface Tried {
  readonly phase: Phase;
  readonly operation: Operation;
  readonly keyed: boolean;
}

/** One write that meets one fault. @returns whether there was such a statement */
async function meet({ phase, operation, keyed }: Tried, fault: StatementFault): Promise<boolean> {
  await create(store); // A connection is there; what is cut is not a new one.
  const { command, done, effects } = await prepare(operation);
  const key = { key: randomUUID(), fingerprint: 'f' };
  const write: Write = keyed ? { command, key } : { command };
  const watched = proxy.arm(fault);
  const answered = await answer(write);
  proxy.heal();
  const what = `${operation} in ${phase}, ${fault.how} at ${fault.at}, delivered: ${fault.delivered}`;
  let times = [1];
  if (isTandemError(answered)) {
    expect(['unavailable', 'outcome-unknown'], what).toContain(answered.code);
    expect(answered.status, what).toBe(503);
    if (keyed) {
      expect((await store.write(write)).kind, `I10: the retry of ${what}`).toBe(done);
    } else {
      times = answered.code === 'unavailable' ? [0] : [0, 1];
    }
  } else {
    expect(answered.kind, what).toBe(done);
    if (keyed) expect(await store.write(write), `I10: the repetition of ${what}`).toEqual(answered);
  }
  // What was on its way has arrived by now: nobody else can hold the lock of the phase.
  const { epoch } = await direct.phase.read();
  await direct.phase.advance(epoch, {}, MOVE);
  expect(times, `I10: effects of ${what}`).toContain(await effects());
  await create(store);
  await expectJobsToEqualChanges(phase);
  return watched.happened;
}

const OPERATIONS: readonly Operation[] = ['create', 'update', 'delete', 'bulk-delete'];
const cases = OPERATIONS.flatMap((operation) => [
  { phase: 'postgres-primary', operation, keyed: true } as const,
  { phase: 'postgres-primary', operation, keyed: false } as const,
  { phase: 'postgres-only', operation, keyed: true } as const,
]);

describe('I2, I10: a write that loses its connection at any statement', () => {
  test.for(cases)(
    '$operation in $phase, with a key: $keyed',
    { timeout: 180_000 },
    async (tried) => {
      // Stalled statements take their time; every operation meets them in a campaign (`TANDEM_RUNS`).
      const isFull =
        process.env.TANDEM_RUNS !== undefined ||
        (tried.operation === 'create' && tried.keyed && tried.phase === 'postgres-primary');
      const hows = isFull ? (['cut', 'reset', 'stall'] as const) : (['cut'] as const);
      let statements = 0;
      for (const how of hows) {
        for (const delivered of [false, true]) {
          for (let at = 1; ; at += 1) {
            await system.clear();
            await system.pool.query('TRUNCATE idempotency_keys');
            await enter(tried.phase);
            if (!(await meet(tried, { at, how, delivered }))) break;
            statements = Math.max(statements, at);
          }
        }
      }
      // BEGIN, what is locked, what is written, COMMIT at least.
      expect(statements).toBeGreaterThanOrEqual(4);
    },
  );
});

describe('I10: a move of the phase that loses its connection at any statement', () => {
  const hows = (['cut', 'reset', 'stall'] as const).flatMap((how) =>
    [false, true].map((delivered) => ({ how, delivered })),
  );
  test.for(hows)('$how, delivered: $delivered', async ({ how, delivered }) => {
    for (let at = 1; ; at += 1) {
      await store.phase.read();
      const { epoch } = await direct.phase.read();
      const moves = await historyLength();
      const attempt = randomUUID();
      const next = { epoch: epoch + 1, phase: 'postgres-only', attempt } as const;
      const watched = proxy.arm({ at, how, delivered });
      const moved = await store.phase.advance(epoch, next, MOVE).catch((error: unknown) => error);
      proxy.heal();
      // Whoever comes next waits for the lock, and then sees what became of the attempt.
      const again = await direct.phase.advance(epoch, next, MOVE);
      const state = await direct.phase.read();
      expect(state).toMatchObject({ epoch: epoch + 1, attempt });
      expect(await historyLength(), 'one move, one row').toBe(moves + 1);
      if (moved instanceof Error) {
        expect(isTandemError(moved) && moved.code).toMatch(/^(unavailable|outcome-unknown)$/);
        if (isTandemError(moved, 'unavailable')) expect(again, 'a definite failure').toBe(true);
      } else {
        expect(moved).toBe(true);
        expect(again).toBe(false);
      }
      if (!watched.happened) break;
    }
  });
});

async function historyLength(): Promise<number> {
  const { rows } = await system.pool.query('SELECT count(*)::int AS moves FROM phase_history');
  return rows[0].moves;
}
