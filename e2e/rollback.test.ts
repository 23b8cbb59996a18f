// Rollback from PostgreSQL alone. npm run drill:rollback makes it 10,000 writes.
import { join } from 'node:path';
import { loadCollections } from '@tandem/storage/collections';
import { inspectJsonStore, openJsonSnapshot } from '@tandem/storage/json';
import { primaryOf } from '@tandem/storage/phase';
import { expense, until } from '@tandem/storage/testing';
import { expect, onTestFinished, test } from 'vitest';
import { moreWrites, startLoad } from './load.ts';
import { reached, setFlags } from './phase-flags.ts';
import { EXPENSE_ROWS, legacyFile, query } from './record-client.ts';
import { newMigratedDatabase } from './services.ts';
import { startTandem, temporaryFolder } from './tandem-process.ts';

const WRITES = Number(process.env.TANDEM_ROLLBACK_WRITES ?? 300);
const WRITERS = 8;

test(`I6: JSON has all ${WRITES} writes of Phase 5 when it becomes primary`, {
  timeout: 120_000 + WRITES * 20,
}, async () => {
  const dataDir = temporaryFolder();
  const jsonDir = join(dataDir, 'json');
  const url = await newMigratedDatabase();
  await setFlags(url, 'postgres-only');
  const tandem = startTandem({ DATA_DIR: dataDir, DATABASE_URL: url });
  const origin = await tandem.ready();
  await reached(origin, 'postgres-only');
  const load = startLoad(origin, WRITERS);
  onTestFinished(() => load.stop());
  while (load.acknowledged.size < WRITES) await moreWrites(load, 1);
  await load.stop();
  const before = new Map(load.acknowledged);
  await setFlags(url, 'json-primary');
  // Nobody writes: what JSON has at this moment came from PostgreSQL.
  await until(
    'JSON is primary',
    async () => {
      const { phase } = await inspectJsonStore(jsonDir);
      return phase !== undefined && primaryOf(phase.phase) === 'json';
    },
    60_000,
  );
  const snapshot = await openJsonSnapshot({
    directory: jsonDir,
    collections: await loadCollections(),
  });
  onTestFinished(() => snapshot.close());
  for (const [id, written] of before) {
    const stored = await snapshot.get(expense, id);
    expect(stored === undefined ? null : JSON.parse(stored.text)).toEqual(written);
  }
  await reached(origin, 'json-primary');
  const after = startLoad(origin, WRITERS);
  await moreWrites(after, WRITERS);
  await after.stop();
  expect(Object.fromEntries([...load.refused, ...after.refused])).toEqual({});
  expect([...after.acknowledged.keys()].filter((id) => before.has(id))).toEqual([]);
  expect(await tandem.interrupt()).toBe(0);
  expect(await query(url, EXPENSE_ROWS)).toEqual(legacyFile(jsonDir, 'expenses.json'));
});
