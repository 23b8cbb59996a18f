import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { createPool, migrateSchema } from '../postgres/index.ts';

/** A migrated database of its own for a test. */
export interface TestDatabase {
  readonly url: string;
  readonly name: string;
  readonly pool: pg.Pool;
  /** Ends the pool and drops the database, whoever is still connected to it. */
  drop(): Promise<void>;
}

/** One advisory lock, so that of all test files at once one makes the template. */
const TEMPLATE_LOCK = 7_404_801;
const JOURNAL = join(import.meta.dirname, '../../../../migrations/meta/_journal.json');

function databaseUrl(name: string): string {
  const url = new URL(inject('postgresUrl'));
  url.pathname = `/${name}`;
  return url.href;
}

async function asAdmin<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** The run's migrated database that others are copied from. It gets its name when it is whole. */
async function template(client: pg.Client): Promise<string> {
  const digest = createHash('sha256').update(readFileSync(JOURNAL)).digest('hex').slice(0, 12);
  const name = `template_${digest}`;
  await client.query('SELECT pg_advisory_lock($1)', [TEMPLATE_LOCK]);
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
    if (found.rowCount === 0) {
      const draft = `${name}_draft`;
      await client.query(`DROP DATABASE IF EXISTS ${draft} WITH (FORCE)`);
      await client.query(`CREATE DATABASE ${draft}`);
      await migrateSchema(databaseUrl(draft));
      await client.query(`ALTER DATABASE ${draft} RENAME TO ${name}`);
    }
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [TEMPLATE_LOCK]);
  }
  return name;
}

/** Makes a database without any table. */
export async function createEmptyDatabase(): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await asAdmin((client) => client.query(`CREATE DATABASE ${name}`));
  return opened(name);
}

/** Makes a fresh, migrated database on the run's server (or that of `TANDEM_TEST_PG_BIN`). */
export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await asAdmin(async (client) => {
    await client.query(`CREATE DATABASE ${name} TEMPLATE ${await template(client)}`);
  });
  return opened(name);
}

function opened(name: string): TestDatabase {
  const url = databaseUrl(name);
  const pool = createPool(url, { applicationName: name });
  return {
    ...{ url, name, pool },
    async drop() {
      await pool.end();
      await asAdmin((client) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    },
  };
}
