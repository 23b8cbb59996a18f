import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Collection, loadCollections } from '@tandem/storage/collections';
import { openJsonStore } from '@tandem/storage/json';
import { createPool, openPostgresStore } from '@tandem/storage/postgres';
import type { Store } from '@tandem/storage/store';
import { allTexts, seedOf, until } from '@tandem/storage/testing';
import { expect, onTestFinished, test } from 'vitest';
import { AcknowledgedRecords } from './fuzz/acknowledged-records.ts';
import { ApiDocument, type Document } from './fuzz/api-document.ts';
import { type CampaignResult, campaign } from './fuzz/campaign.ts';
import { query } from './record-client.ts';
import { newMigratedDatabase, startApi, startWorker } from './services.ts';
import { temporaryFolder } from './tandem-process.ts';

//  npm run fuzz -- --requests N --seed S

const REQUESTS = Number(process.env.TANDEM_FUZZ_REQUESTS ?? 10_000);
const TIMEOUT_MS = 120_000 + REQUESTS * 20;
const REPLICATED_TIMEOUT_MS = 60_000;

const TABLES = `
  SELECT table_schema, table_name, column_name, data_type FROM information_schema.columns
  WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2, 3`;
const DEAD = `SELECT name, data::text FROM pgboss.job WHERE name LIKE '%-dead'`;
const DIFFERENCES = 'SELECT * FROM divergences WHERE resolved_at IS NULL';

const thousands = (count: number): string => count.toLocaleString('en');

test(
  'no request of the fuzz breaks the API, and every acknowledged write is there afterwards (I1, I2)',
  async () => {
    const seed = seedOf();
    console.log(`The fuzz begins with TANDEM_SEED=${seed}.`);
    const dataDir = temporaryFolder();
    const databaseUrl = await newMigratedDatabase();
    const variables = {
      ...{ DATA_DIR: dataDir, DATABASE_URL: databaseUrl },
      ...{ FF_USE_DATABASE_STORAGE: 'false', FF_DUAL_WRITE_ENABLED: 'true' },
    };
    const [api, worker] = [await startApi(variables), startWorker(variables)];
    await until('it serves', async () => (await fetch(`${api.origin}/readyz`)).ok);
    const tables = await query(databaseUrl, TABLES);
    const token = (await readFile(join(dataDir, 'operator-token'), 'utf8')).trim();
    const document = new ApiDocument(
      (await (await fetch(`${api.origin}/openapi.json`)).json()) as Document,
    );
    const collections = await loadCollections();
    const known = new AcknowledgedRecords(collections.map(({ name }) => name));

    const startedMs = performance.now();
    const result = await campaign({
      ...{ origin: api.origin, document, known, token, seed, requests: REQUESTS },
    });
    const seconds = (performance.now() - startedMs) / 1_000;
    expect(result.violations.join('\n'), `replay with TANDEM_SEED=${seed}`).toBe('');
    expect(missing(document, result)).toEqual([]);
    expect((await fetch(`${api.origin}/readyz`)).status).toBe(200);
    expect(api.output()).not.toMatch(/"level":(50|60)/);

    const pool = createPool(databaseUrl, { applicationName: 'fuzz' });
    onTestFinished(() => pool.end());
    const jobs = { insert: () => Promise.reject(new Error('Nothing is written here.')) };
    const postgres = openPostgresStore({ pool, collections, jobs });
    const wrongIn = (store: Store) => differences(known, store, collections);
    await until(
      'PostgreSQL has all of it',
      async () => (await wrongIn(postgres)).length === 0,
      REPLICATED_TIMEOUT_MS,
    ).catch(async () => expect((await wrongIn(postgres)).slice(0, 5)).toEqual([]));
    expect(await query(databaseUrl, DEAD)).toEqual([]);
    expect(await query(databaseUrl, DIFFERENCES)).toEqual([]);
    expect(await query(databaseUrl, TABLES)).toEqual(tables);
    expect(await worker.stop()).toBe(0);

    // Killed, so that what is opened again is the journal.
    process.kill(api.pid, 'SIGKILL');
    await api.ended;
    const json = await openJsonStore({ directory: join(dataDir, 'json'), collections });
    onTestFinished(() => json.close());
    expect((await wrongIn(json)).slice(0, 5)).toEqual([]);
    console.log(closingLine(seed, document, known, result, seconds));
  },
  TIMEOUT_MS,
);

/** Operations that never answered 200, of those that any installation can answer so. */
function missing(document: ApiDocument, { reached }: CampaignResult): readonly string[] {
  if (REQUESTS < 10_000) return [];
  return document.operations
    .filter(({ path }) => /^\/api\/v1\/(expense|income)/.test(path))
    .map(({ method, path }) => `${method} ${path}`)
    .filter((name) => !reached.has(name));
}

async function differences(
  known: AcknowledgedRecords,
  store: Store,
  collections: readonly Collection[],
): Promise<readonly string[]> {
  const wrong: string[] = [];
  for (const collection of collections) {
    wrong.push(...known.differences(collection.name, await allTexts(store, collection)));
  }
  return wrong;
}

function closingLine(
  seed: number,
  { operations }: ApiDocument,
  { writes }: AcknowledgedRecords,
  { kinds, statuses, reached }: CampaignResult,
  seconds: number,
): string {
  const byKind = Object.entries(kinds).map(([kind, count]) => `${thousands(count)} ${kind}`);
  const byStatus = [...statuses]
    .toSorted(([a], [b]) => a - b)
    .map(([status, count]) => `${status === 0 ? 'closed' : status} × ${thousands(count)}`);
  const total = Object.values(kinds).reduce((sum, count) => sum + count, 0);
  return [
    `Fuzz from seed ${seed}: ${thousands(total)} requests (${byKind.join(', ')})`,
    `to ${operations.length} operations, ${reached.size} of them answered 200, in ${seconds.toFixed(0)} s:`,
    `${byStatus.join(', ')}; no 5xx, no hang, every answer as documented;`,
    `${thousands(writes)} acknowledged writes, all in the reopened journal and in PostgreSQL.`,
  ].join(' ');
}
