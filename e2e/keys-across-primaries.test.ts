import { join } from 'node:path';
import type { Item, Outcome, Write } from '@tandem/storage/changes';
import type { JsonStore } from '@tandem/storage/json';
import { silentLog } from '@tandem/storage/log';
import { migrateQueues, QUEUES } from '@tandem/storage/replication';
import type { Store } from '@tandem/storage/store';
import {
  allEntries,
  create,
  createTestDatabase,
  expense,
  setOf,
  valuesOf,
} from '@tandem/storage/testing';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import {
  type Database,
  openDatabase,
  replicateToJson,
  replicateToPostgres,
  start,
  withJson,
} from './pair-of-stores.ts';
import { temporaryFolder } from './tandem-process.ts';

let directory: string;
let database: Database;

beforeEach(async () => {
  directory = join(temporaryFolder(), 'json');
  const made = await createTestDatabase();
  await migrateQueues(made.pool, silentLog);
  database = openDatabase(made.url);
  onTestFinished(async () => {
    await database.close();
    await made.drop();
  });
});

type Keyed = Write & { readonly key: NonNullable<Write['key']> };

const keyed = (key: string, command: Write['command']): Keyed => ({
  command,
  key: { key, fingerprint: `request of ${key}` },
});

/** Each kind of write under a key of its own; the first record is there. */
const writesOf = (prefix: string, id: number): readonly Keyed[] => [
  keyed(`${prefix} create`, { op: 'create', collection: expense, values: valuesOf() }),
  keyed(`${prefix} update`, { op: 'update', collection: expense, id, set: setOf({ notes: 'x' }) }),
  keyed(`${prefix} delete`, { op: 'delete', collection: expense, id }),
  keyed(`${prefix} bulk`, { op: 'bulk-delete', collection: expense, ids: [id, 999] }),
  keyed(`${prefix} none`, { op: 'delete', collection: expense, id: 999 }),
];

class Remembered {
  readonly #all: { write: Keyed; outcome: Outcome }[] = [];

  async writeTo(store: Store, prefix: string): Promise<void> {
    const { id } = await create(store);
    for (const write of writesOf(prefix, id)) {
      this.#all.push({ write, outcome: await store.write(write) });
    }
  }

  /** Every retry gets its first answer, and changes nothing. */
  async expectFrom(store: Store): Promise<void> {
    const before = await allEntries(store);
    for (const { write, outcome } of this.#all) {
      expect(await store.write(write), `I10: ${write.key.key} from ${store.name}`).toEqual(outcome);
      const other = { ...write, key: { ...write.key, fingerprint: 'another request' } };
      await expect(store.write(other)).rejects.toMatchObject({ code: 'key-reused' });
    }
    expect(await allEntries(store)).toEqual(before);
  }
}

/** Every run opens the JSON store anew, as a restart does. */
const inPhase = (
  phase: 'json-primary' | 'postgres-primary',
  work: (json: JsonStore) => Promise<void> = async () => {},
): Promise<void> =>
  withJson(directory, async (json) => {
    const { effective, waitingFor } = await start(json, database, phase);
    expect({ effective, waitingFor }).toEqual({ effective: phase, waitingFor: null });
    await work(json);
  });

test.each([
  ['replicated before', true],
  ['brought by the switch alone', false],
])('I10: keys hold across restarts and both changes of primary, %s', async (_how, replicated) => {
  const remembered = new Remembered();
  const { postgres } = database;
  await inPhase('json-primary', async (json) => {
    await remembered.writeTo(json, 'first');
    if (replicated) await replicateToPostgres(json, database);
  });
  await inPhase('json-primary', (json) => remembered.expectFrom(json));
  await inPhase('postgres-primary', async (json) => {
    await remembered.expectFrom(postgres);
    await remembered.writeTo(postgres, 'second');
    if (replicated) await replicateToJson(json, database);
  });
  await inPhase('postgres-primary', () => remembered.expectFrom(postgres));
  await inPhase('json-primary', async (json) => {
    await remembered.expectFrom(json);
    await remembered.writeTo(json, 'third');
  });
  await inPhase('postgres-primary', () => remembered.expectFrom(postgres));
});

/** Brings the newest states first; then everything, backwards: all of it late, and a no-op. */
async function arriveLate(store: Store, source: Store, items: readonly Item[]): Promise<void> {
  const newest = (await allEntries(source)).map(({ id, epoch, version, text }): Item => {
    const stamp = { collection: 'expense', id, epoch, version, base: null } as const;
    const op = text === null ? 'delete' : 'create';
    const change = { ...stamp, op, record: text, at: new Date().toISOString() } as const;
    return { kind: 'change', change };
  });
  for (const { verdict } of await store.apply(newest)) expect(verdict).toBe('apply');
  const late = [...items].reverse();
  const results = await store.apply(late);
  for (const [index, item] of late.entries()) {
    expect(results[index]?.verdict).toBe(item.kind === 'key' ? 'apply' : 'no-op');
  }
}

test('I10: a key counts although its change arrives late and is a no-op, in either direction', async () => {
  const remembered = new Remembered();
  const { postgres, pool } = database;
  await inPhase('json-primary', async (json) => {
    await remembered.writeTo(json, 'first');
    const entries = await json.outbox.read(0, 100);
    await arriveLate(
      postgres,
      json,
      entries.map(({ item }) => item),
    );
  });
  await inPhase('postgres-primary', async (json) => {
    await remembered.expectFrom(postgres);
    const known = (await allEntries(json)).length;
    const other = new Remembered();
    await other.writeTo(postgres, 'second');
    const jobs = await pool.query('SELECT data FROM pgboss.job WHERE name = $1', [QUEUES.json]);
    const items = jobs.rows.map(({ data }) => data as Item);
    await pool.query('DELETE FROM pgboss.job WHERE name = $1', [QUEUES.json]);
    const fresh = items.filter(({ kind }) => kind === 'key').length;
    expect([known, fresh]).toEqual([2, 5]);
    const newer = { ...postgres, scan: scanAfter(postgres, known) };
    await arriveLate(json, newer, items);
    await other.expectFrom(postgres);
    await start(json, database, 'json-primary');
    await other.expectFrom(json);
    await remembered.expectFrom(json);
  });
});

/** A store's scan without the first ids, which the other side has already. */
const scanAfter =
  (store: Store, first: number): Store['scan'] =>
  (collection, afterId, limit) =>
    store.scan(collection, Math.max(afterId, first), limit);
