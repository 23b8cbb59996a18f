import { expect } from 'vitest';
import type { Item } from '../changes/index.ts';
import { loadCollections } from '../collections/index.ts';
import type { Phase } from '../phase/index.ts';
import { createTestDatabase } from '../testing/database.ts';
import { storeContract } from '../testing/store-contract.ts';
import { openPostgresStore } from './index.ts';

const collections = await loadCollections();

async function open(phase: Phase) {
  const database = await createTestDatabase();
  const items: Item[] = [];
  const store = openPostgresStore({
    pool: database.pool,
    collections,
    jobs: {
      async insert(_client, some) {
        items.push(...some);
      },
    },
  });
  const move = { actor: 'test', reason: 'test', evidence: {} };
  expect(await store.phase.advance(0, { phase, epoch: 1 }, move)).toBe(true);
  return {
    store,
    async close() {
      await store.close();
      await database.drop();
      if (phase === 'postgres-only') expect(items).toEqual([]);
    },
  };
}

storeContract('PostgreSQL store in postgres-only', () => open('postgres-only'));
storeContract('PostgreSQL store in postgres-primary', () => open('postgres-primary'));
