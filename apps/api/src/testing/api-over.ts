import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Collection } from '@tandem/storage/collections';
import { openJsonStore } from '@tandem/storage/json';
import { openPostgresStore } from '@tandem/storage/postgres';
import type { Store } from '@tandem/storage/store';
import { createTestDatabase } from '@tandem/storage/testing';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { type AppOptions, build } from '../app.ts';

/** The API over one real store that is primary, and the lines it logged. */
export interface Api {
  readonly app: FastifyInstance;
  readonly store: Store;
  readonly lines: readonly Record<string, unknown>[];
  close(): Promise<void>;
}

interface PrimaryStore {
  readonly store: Store;
  close(): Promise<void>;
}

/** Opens an empty store; `tables` is SQL for collections that no migration has. */
type Open = (collections: readonly Collection[], tables?: string) => Promise<PrimaryStore>;

async function openPostgres(
  collections: readonly Collection[],
  tables = '',
): Promise<PrimaryStore> {
  const database = await createTestDatabase();
  await database.pool.query(tables);
  const jobs = { insert: () => Promise.reject(new Error('postgres-only has no jobs.')) };
  const store = openPostgresStore({ pool: database.pool, collections, jobs });
  const move = { actor: 'test', reason: 'test', evidence: {} };
  await store.phase.advance(0, { phase: 'postgres-only', epoch: 1 }, move);
  return {
    store,
    async close() {
      await store.close();
      await database.drop();
    },
  };
}

async function openJson(collections: readonly Collection[]): Promise<PrimaryStore> {
  const directory = await mkdtemp(join(tmpdir(), 'tandem-api-'));
  const store = await openJsonStore({ directory, collections });
  return {
    store,
    async close() {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
}

const STORES: Readonly<Record<string, Open>> = { json: openJson, postgres: openPostgres };

/** The stores that every test of the routes runs over. */
export const STORE_NAMES = Object.keys(STORES);

/** Builds the API over an empty store of the given name. `tables` as above. */
export async function apiOver(
  name: string,
  collections: readonly Collection[],
  { tables, ...options }: Partial<AppOptions> & { readonly tables?: string } = {},
): Promise<Api> {
  const open = STORES[name];
  if (open === undefined) throw new Error(`There is no store ${name}.`);
  const { store, close } = await open(collections, tables);
  const lines: Record<string, unknown>[] = [];
  const phase = store.name === 'json' ? 'json-only' : 'postgres-only';
  const app = await build({
    collections,
    primary: () => store,
    readiness: () => ({
      ready: true,
      status: 'ok',
      phase: { desired: phase, effective: phase, epoch: 1 },
      dependencies: { [store.name]: { status: 'up' } },
    }),
    log: pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) }),
    ...options,
  });
  return {
    app,
    store,
    lines,
    async close() {
      await app.close();
      await close();
    },
  };
}
