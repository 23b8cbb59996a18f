import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@tandem/embedded-postgres';
import { silentLog } from '@tandem/storage/log';
import { pullBrake } from '@tandem/storage/phase';
import { migrateSchema } from '@tandem/storage/postgres';
import { migrateQueues } from '@tandem/storage/replication';
import type { Store } from '@tandem/storage/store';
import { allEntries, allTexts, create, createTestDatabase, expense } from '@tandem/storage/testing';
import pg from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import {
  type Database,
  openDatabase,
  replaceFolder,
  replicateToJson,
  replicateToPostgres,
  start,
  withJson,
} from './pair-of-stores.ts';
import { environmentWith, startProcess, temporaryFolder } from './tandem-process.ts';

/** A database with schema and queues on the run's server. */
async function freshDatabase(): Promise<Database & { name: string }> {
  const made = await createTestDatabase();
  await migrateQueues(made.pool, silentLog);
  const database = openDatabase(made.url);
  let closing: Promise<void> | undefined;
  const close = () => (closing ??= database.close());
  onTestFinished(async () => {
    await close();
    await made.drop();
  });
  return { ...database, name: made.name, close };
}

/** A copy of a database as it is now: what a dump of this moment would restore. */
async function dumpOf({ name }: { name: string }): Promise<Database> {
  const copy = `${name}_copy`;
  const admin = new pg.Client({ connectionString: inject('postgresUrl') });
  await admin.connect();
  await admin.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '${name}'`,
  );
  await admin.query(`CREATE DATABASE ${copy} TEMPLATE ${name}`);
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${copy}`;
  const database = openDatabase(url.href);
  onTestFinished(async () => {
    await database.close();
    await admin.query(`DROP DATABASE ${copy} WITH (FORCE)`);
    await admin.end();
  });
  return database;
}

const folder = () => join(temporaryFolder(), 'json');

async function copyOf(directory: string): Promise<string> {
  const copy = join(temporaryFolder(), 'copy');
  await cp(directory, copy, { recursive: true });
  return copy;
}

const notes = async (store: Store): Promise<unknown[]> =>
  (await allTexts(store)).map((text) => JSON.parse(text).notes).sort();

const mismatch = (sentence: RegExp) => ({
  code: 'mismatched-stores',
  message: expect.stringMatching(sentence),
});

/** A pair in json-primary whose first record is in both stores. */
async function jsonPair(directory: string, database: Database): Promise<void> {
  await withJson(directory, async (json) => {
    await start(json, database, 'json-primary');
    await create(json, { notes: 'old' });
    await replicateToPostgres(json, database);
  });
}

/** A pair in postgres-primary whose first record is in both stores. */
async function postgresPair(directory: string, database: Database): Promise<void> {
  await jsonPair(directory, database);
  await withJson(directory, async (json) => {
    await start(json, database, 'postgres-primary');
    await create(database.postgres, { notes: 'before' });
    await replicateToJson(json, database);
  });
}

test('I12: an older JSON folder in json-primary is refused, also after it went on alone', async () => {
  const [directory, database] = [folder(), await freshDatabase()];
  await jsonPair(directory, database);
  const older = await copyOf(directory);
  await withJson(directory, async (json) => {
    await start(json, database, 'json-primary');
    await create(json, { notes: 'newer' });
    await replicateToPostgres(json, database);
  });

  await replaceFolder(directory, older);
  const refusal = mismatch(/JSON store was restored.*expense 2.*newer folder back.*empty database/);
  await withJson(directory, async (json) => {
    await expect(start(json, database, 'json-primary')).rejects.toMatchObject(refusal);
  });
  await withJson(directory, async (json) => {
    await start(json, undefined, 'json-primary');
    for (const name of ['a', 'b', 'c']) await create(json, { notes: name });
    await expect(replicateToPostgres(json, database)).rejects.toThrow(
      /restored from an older copy/,
    );
  });
  expect(await notes(database.postgres), 'nothing was merged').toEqual(['newer', 'old']);

  // The way out that the sentence names.
  const empty = await freshDatabase();
  await withJson(directory, async (json) => {
    await start(json, empty, 'json-primary');
    await replicateToPostgres(json, empty);
    expect(await notes(empty.postgres)).toEqual(['a', 'b', 'c', 'old']);
    expect(await allEntries(empty.postgres)).toEqual(await allEntries(json));
  });
});

test('I12: an older JSON folder that lacks nothing goes on', async () => {
  const [directory, database] = [folder(), await freshDatabase()];
  await jsonPair(directory, database);
  const older = await copyOf(directory);
  await withJson(directory, async (json) => {
    await start(json, database, 'json-primary');
    await database.postgres.phase.noteJson(json.phase.read().pairId, json.outbox.position());
  });
  await replaceFolder(directory, older);
  await withJson(directory, async (json) => {
    await start(json, database, 'json-primary');
    await create(json, { notes: 'on' });
    await replicateToPostgres(json, database);
    expect(await allEntries(database.postgres)).toEqual(await allEntries(json));
  });
});

test('I12: an older JSON folder in postgres-primary is brought up by difference', async () => {
  const [directory, database] = [folder(), await freshDatabase()];
  await postgresPair(directory, database);
  const older = await copyOf(directory);
  await withJson(directory, async (json) => {
    await create(database.postgres, { notes: 'newer' });
    const gone = { op: 'delete', collection: expense, id: 1 } as const;
    await database.postgres.write({ command: gone, key: { key: 'k', fingerprint: 'f' } });
    await replicateToJson(json, database);
    expect(await notes(json)).toEqual(['before', 'newer']);
  });

  await replaceFolder(directory, older);
  await withJson(directory, async (json) => {
    expect(await notes(json)).toEqual(['before', 'old']);
    await replicateToJson(json, database);
    expect(await allEntries(json)).toEqual(await allEntries(database.postgres));
    expect(await json.scanKeys('', 10)).toEqual(await database.postgres.scanKeys('', 10));
  });
});

test('I12: an older dump under postgres-primary is refused; a new folder is filled from it', async () => {
  const [directory, database] = [folder(), await freshDatabase()];
  await postgresPair(directory, database);
  const older = await dumpOf(database);
  await withJson(directory, async (json) => {
    await create(database.postgres, { notes: 'newer' });
    await replicateToJson(json, database);
  });
  // It goes on for a while without being met.
  await create(older.postgres, { notes: 'beside' });
  const refusal = mismatch(/database was restored.*expense 3.*newer backup.*JSON_DIR/);
  await withJson(directory, async (json) => {
    await expect(start(json, older, 'postgres-primary')).rejects.toMatchObject(refusal);
    await expect(start(json, older, 'json-primary')).rejects.toMatchObject(refusal);
    expect(await notes(json), 'nothing was merged').toEqual(['before', 'newer', 'old']);
  });
  expect(await notes(older.postgres)).toEqual(['before', 'beside', 'old']);
  await withJson(folder(), async (json) => {
    await start(json, older, 'postgres-primary');
    await replicateToJson(json, older);
    expect(await allEntries(json)).toEqual(await allEntries(older.postgres));
  });
});

test('I12: an api process does not start on an older dump, and says why', async () => {
  const [directory, database] = [folder(), await freshDatabase()];
  await postgresPair(directory, database);
  const older = await dumpOf(database);
  await withJson(directory, async (json) => {
    await create(database.postgres, { notes: 'newer' });
    await replicateToJson(json, database);
  });
  const environment = environmentWith({
    ...{ DATABASE_URL: older.url, DATA_DIR: temporaryFolder(), JSON_DIR: directory, PORT: '0' },
    ...{ FF_USE_DATABASE_STORAGE: 'true', FF_DUAL_WRITE_ENABLED: 'true' },
  });
  const api = startProcess([process.execPath, 'apps/api/src/server.ts'], environment);
  expect(await api.ended).not.toBe(0);
  expect(api.output()).toMatch(/The database was restored from an older backup.*expense 3/);
  expect(await notes(older.postgres)).toEqual(['before', 'old']);
});

test('I12: a database that was moved and lacks nothing goes on, and gives no id twice', async () => {
  const [directory, database] = [folder(), await freshDatabase()];
  await postgresPair(directory, database);
  const moved = await dumpOf(database);
  await withJson(directory, async (json) => {
    await json.raiseIdHighWater({ expense: 50 });
    expect(await start(json, moved, 'postgres-primary')).toMatchObject({ waitingFor: null });
    expect((await create(moved.postgres, { notes: 'moved' })).id).toBe(51);
    await replicateToJson(json, moved);
    expect(await allEntries(json)).toEqual(await allEntries(moved.postgres));
    // From now on this is the database it knows.
    await expect(start(json, database, 'postgres-primary')).rejects.toMatchObject(
      mismatch(/database was restored/),
    );
  });
});

test('I12: an older dump under json-primary is brought up by difference', async () => {
  const [directory, database] = [folder(), await freshDatabase()];
  await jsonPair(directory, database);
  const older = await dumpOf(database);
  await withJson(directory, async (json) => {
    // Written while PostgreSQL was primary: the journal never had it as an outbox.
    await start(json, database, 'postgres-primary');
    await create(database.postgres, { notes: 'through PostgreSQL' });
    await replicateToJson(json, database);
    await start(json, database, 'json-primary');
    await create(json, { notes: 'newer' });
    await replicateToPostgres(json, database);
  });
  await withJson(directory, async (json) => {
    expect(await start(json, older, 'json-primary')).toMatchObject({ waitingFor: null });
    await replicateToPostgres(json, older);
    expect(await allEntries(older.postgres)).toEqual(await allEntries(json));
  });
});

test('I12: a database replaced by an empty one is filled by a JSON primary, and refused as the primary', async () => {
  const [directory, database, empty] = [folder(), await freshDatabase(), await freshDatabase()];
  await jsonPair(directory, database);
  await withJson(directory, async (json) => {
    await start(json, empty, 'json-primary');
    await replicateToPostgres(json, empty);
    expect(await allEntries(empty.postgres)).toEqual(await allEntries(json));
    await start(json, empty, 'postgres-primary');
  });
  const another = await freshDatabase();
  await withJson(directory, async (json) => {
    await expect(start(json, another, 'postgres-primary')).rejects.toMatchObject(
      mismatch(/never met it.*DATABASE_URL.*the emergency brake/),
    );
    // The way out where the old one is lost for good.
    await pullBrake(json, new Date(), silentLog);
    await start(json, another, 'json-primary');
    await replicateToPostgres(json, another);
    expect(await allEntries(another.postgres)).toEqual(await allEntries(json));
  });
});

test('I12: stores of two installations refuse each other in every phase', async () => {
  const [one, other] = [folder(), folder()];
  const [first, second] = [await freshDatabase(), await freshDatabase()];
  await jsonPair(one, first);
  await postgresPair(other, second);
  const refusal = mismatch(/two installations/);
  for (const [directory, database] of [
    [one, second],
    [other, first],
  ] as const) {
    await withJson(directory, async (json) => {
      for (const phase of ['json-primary', 'postgres-primary', 'postgres-only'] as const) {
        await expect(start(json, database, phase)).rejects.toMatchObject(refusal);
      }
    });
  }
});

test('I12: an older base backup is recognised by its shorter WAL', async () => {
  const [directory, home] = [folder(), temporaryFolder()];
  const cluster = join(home, 'postgres');
  const settings = { fsync: 'off', max_connections: '40', shared_buffers: '16MB' };
  /** Runs the server for as long as `work` takes. */
  const running = async <T>(work: (database: Database) => Promise<T>): Promise<T> => {
    const server = await startEmbeddedPostgres({ folder: cluster, settings });
    await migrateSchema(server.url);
    const database = openDatabase(server.url);
    await migrateQueues(database.pool, silentLog);
    try {
      return await work(database);
    } finally {
      await database.close();
      await server.stop();
    }
  };
  await running((database) => postgresPair(directory, database));
  const backup = join(home, 'backup');
  await cp(cluster, backup, { recursive: true });
  await running((database) =>
    withJson(directory, async (json) => {
      await create(database.postgres, { notes: 'newer' });
      await replicateToJson(json, database);
    }),
  );

  await replaceFolder(cluster, backup);
  await running((database) =>
    withJson(directory, async (json) => {
      await expect(start(json, database, 'postgres-primary')).rejects.toMatchObject(
        mismatch(/database was restored.*expense 3/),
      );
      expect(await notes(database.postgres), 'nothing was merged').toEqual(['before', 'old']);
    }),
  );
}, 180_000);
