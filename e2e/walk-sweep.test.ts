import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCollections } from '@tandem/storage/collections';
import { isTandemError } from '@tandem/storage/errors';
import { type JsonStore, openJsonStore } from '@tandem/storage/json';
import { silentLog } from '@tandem/storage/log';
import { PHASES, type Phase, primaryOf, walkTo } from '@tandem/storage/phase';
import { openPostgresStore, relayCursor, storageError } from '@tandem/storage/postgres';
import {
  createJobSink,
  createQueueClient,
  createQueueUpkeep,
  createRelayedJournal,
  migrateQueues,
  QUEUES,
  readBacklog,
} from '@tandem/storage/replication';
import type { Store } from '@tandem/storage/store';
import { allTexts, create, createTestDatabase, expense } from '@tandem/storage/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const collections = await loadCollections();

class Died extends Error {}

/** Counts the durable acts of a walk, and ends it before or after the chosen one. */
class Mortality {
  acts = 0;
  /** Those that happened within another. */
  readonly nested = new Set<number>();
  #underWay = 0;
  readonly #dieAt: number;
  readonly #when: 'before' | 'after';

  constructor(dieAt = Number.POSITIVE_INFINITY, when: 'before' | 'after' = 'before') {
    this.#dieAt = dieAt;
    this.#when = when;
  }

  async act<T>(work: () => Promise<T>): Promise<T> {
    this.acts += 1;
    if (this.#underWay > 0) this.nested.add(this.acts);
    const last = this.acts === this.#dieAt;
    if (this.acts > this.#dieAt || (last && this.#when === 'before')) throw new Died();
    this.#underWay += 1;
    const result = await work().finally(() => {
      this.#underWay -= 1;
    });
    if (last) throw new Died();
    return result;
  }
}

/** The same object with some methods counted as durable acts, and some members replaced. */
function mortal<T extends object>(
  target: T,
  methods: readonly (keyof T)[],
  life: Mortality,
  replaced: Partial<T> = {},
): T {
  return new Proxy(target, {
    get(object, name) {
      if (Object.hasOwn(replaced, name)) return replaced[name as keyof T];
      const value = Reflect.get(object, name) as unknown;
      if (typeof value !== 'function') return value;
      const call = value.bind(object) as (...args: unknown[]) => Promise<unknown>;
      return methods.includes(name as keyof T)
        ? (...args: unknown[]) => life.act(() => call(...args))
        : call;
    },
  });
}

/** Two real stores and the queue, as one installation. */
async function installation() {
  const home = mkdtempSync(join(tmpdir(), 'tandem-e2e-'));
  const directory = join(home, 'json');
  const database = await createTestDatabase();
  await migrateQueues(database.pool, silentLog);
  const queues = createQueueClient({ pool: database.pool, role: 'enqueue', log: silentLog });
  const jobs = createJobSink({ queues, queue: QUEUES.json });
  const postgres = openPostgresStore({ pool: database.pool, collections, jobs });

  const withJson = async <T>(work: (json: JsonStore) => Promise<T>): Promise<T> => {
    const json = await openJsonStore({ directory, collections });
    try {
      return await work(json);
    } finally {
      // As a process leaves it that is killed.
      await json.close({ checkpoint: false });
    }
  };

  /** What the start of a process does before it serves. */
  const walk = (json: JsonStore, desired: Phase, life = new Mortality()) => {
    const journal = createRelayedJournal({
      outbox: json.outbox,
      pool: database.pool,
      cursor: relayCursor,
      pairId: () => json.phase.read().pairId,
    });
    const upkeep = createQueueUpkeep({
      operatingError: storageError,
      queues,
      stores: { json, postgres },
      collections,
      journal,
      log: silentLog,
    });
    return walkTo(desired, {
      json: mortal(json, ['apply', 'raiseIdHighWater'], life, {
        phase: mortal(json.phase, ['update'], life),
      }),
      postgres: mortal(postgres, ['apply', 'raiseIdHighWater'], life, {
        phase: mortal(postgres.phase, ['advance', 'advanceAfter'], life),
      }),
      queues: mortal(upkeep, ['dropCovered', 'beginRelay', 'enqueueRejected'], life),
      collections,
      log: silentLog,
      actor: 'test',
      reason: 'sweep',
      now: () => new Date(),
      jsonIsBlank: false,
    });
  };
  const close = async () => {
    await postgres.close();
    await queues.stop();
    await database.drop();
    rmSync(home, { recursive: true });
  };
  const waitingForJson = async () =>
    (await readBacklog(database.pool)).queues[QUEUES.json]?.waiting;
  return { withJson, walk, waitingForJson, postgres, close };
}

type Installation = Awaited<ReturnType<typeof installation>>;

/** Writes to every store that takes it. @returns the texts that were acknowledged, by id */
async function writeToWhoeverAccepts(
  stores: readonly Store[],
  note: string,
): Promise<Map<number, string>> {
  const accepted = new Map<number, string>();
  for (const store of stores) {
    try {
      const record = await create(store, { notes: `${note} in ${store.name}` });
      expect(accepted.has(record.id)).toBe(false);
      accepted.set(record.id, record.text);
    } catch (error) {
      if (!isTandemError(error, 'not-primary')) throw error;
    }
  }
  return accepted;
}

/** One move that dies at an act, what the stores then accept, and the start after it. */
async function dieAndStartAgain(
  { withJson, walk, waitingForJson, postgres }: Installation,
  model: Map<number, string>,
  move: { from: Phase; to: Phase },
  life: Mortality,
): Promise<boolean> {
  const { from, to } = move;
  const died = await withJson(async (json) => {
    await walk(json, from);
    const primary = primaryOf(from) === 'json' ? json : postgres;
    const [id, text] = [...(await writeToWhoeverAccepts([primary], 'before'))][0] ?? [];
    if (id === undefined || text === undefined)
      throw new Error(`${primary.name} refused in ${from}.`);
    model.set(id, text);
    const victim = Math.min(...model.keys());
    await primary.write({ command: { op: 'delete', collection: expense, id: victim } });
    model.delete(victim);
    return walk(json, to, life).then(
      () => false,
      (error: unknown) => {
        if (error instanceof Died) return true;
        throw error;
      },
    );
  });
  await withJson(async (json) => {
    const accepted = await writeToWhoeverAccepts([json, postgres], 'after');
    expect(accepted.size, 'I3: at most one store accepts writes').toBeLessThanOrEqual(1);
    for (const [id, text] of accepted) {
      expect(model.has(id), 'I9: an id is never given twice').toBe(false);
      model.set(id, text);
    }
    const { effective, waitingFor } = await walk(json, to);
    expect({ effective, waitingFor }).toEqual({ effective: to, waitingFor: null });
    const primary = primaryOf(to) === 'json' ? json : postgres;
    expect((await allTexts(primary)).sort()).toEqual([...model.values()].sort());
    if (to === 'postgres-primary') return;
    expect(await waitingForJson(), 'jobs that nobody works are no backlog').toBe(0);
  });
  return died;
}

describe('I3, I6: a start that dies at any act leaves one primary at most, and the next one finishes', () => {
  const moves = PHASES.flatMap((from) => PHASES.map((to) => ({ from, to }))).filter(
    ({ from, to }) => from !== to,
  );
  // One installation for all: each move begins by walking to where it leads from.
  let system: Installation;
  const model = new Map<number, string>();
  beforeAll(async () => {
    system = await installation();
  });
  afterAll(() => system.close());

  test.for(moves)('$from to $to', { timeout: 120_000 }, async ({ from, to }) => {
    const diesAt = (dieAt: number, when: 'before' | 'after') => {
      const life = new Mortality(dieAt, when);
      return dieAndStartAgain(system, model, { from, to }, life).then((died) => ({ died, life }));
    };
    // Before an act all is as after the one before it, but for the first, and for one within another.
    let deaths = 0;
    let befores: ReadonlySet<number> = new Set([1]);
    for (let dieAt = 1; ; dieAt += 1) {
      const { died, life } = await diesAt(dieAt, 'after');
      befores = befores.union(life.nested);
      if (!died) break;
      deaths += 1;
    }
    for (const dieAt of befores) {
      if ((await diesAt(dieAt, 'before')).died) deaths += 1;
    }
    expect(deaths).toBeGreaterThanOrEqual(2);
  });
});
