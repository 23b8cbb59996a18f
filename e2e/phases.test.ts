import { join } from 'node:path';
import { expect, test } from 'vitest';
import { newDatabase } from './database.ts';
import { Household } from './household.ts';
import { query } from './record-client.ts';
import { startTandem, temporaryFolder } from './tandem-process.ts';

const FLAGS = {
  'json-only': ['false', 'false'],
  'json-primary': ['false', 'true'],
  'postgres-primary': ['true', 'true'],
  'postgres-only': ['true', 'false'],
} as const;
type Phase = keyof typeof FLAGS;

const deadLetters = (url: string) =>
  query(url, `SELECT name, data FROM pgboss.job WHERE name LIKE '%-dead'`);

/** One life of the system in one phase: start, write, read, stop cleanly, look at the stores. */
async function liveIn(phase: Phase, dataDir: string, url: string, home: Household): Promise<void> {
  const [useDatabase, dualWrite] = FLAGS[phase];
  const tandem = startTandem({
    DATA_DIR: dataDir,
    DATABASE_URL: url,
    FF_USE_DATABASE_STORAGE: useDatabase,
    FF_DUAL_WRITE_ENABLED: dualWrite,
  });
  const origin = await tandem.ready();
  const readiness = (await (await fetch(`${origin}/readyz`)).json()) as { phase: object };
  expect(readiness.phase).toMatchObject({ desired: phase, effective: phase });
  await home.isServed(origin, 'expense');
  await home.isServed(origin, 'income');
  await home.live(origin, phase);
  expect(await tandem.interrupt()).toBe(0);
  if (phase !== 'postgres-only') home.isInJson(join(dataDir, 'json'));
  if (phase !== 'json-only') await home.isInPostgres(url);
  expect(await deadLetters(url)).toEqual([]);
}

test('I6, I8, I9: walked by restarts to Phase 5 and back, no phase lacks what another acknowledged', async () => {
  const dataDir = temporaryFolder();
  const url = await newDatabase();
  const home = new Household();
  const way: Phase[] = [
    'json-only',
    'json-primary',
    'postgres-primary',
    'postgres-only',
    'postgres-primary',
    'json-primary',
    'json-only',
  ];
  for (const phase of way) await liveIn(phase, dataDir, url, home);
  // Two phases at once, in both directions.
  await liveIn('postgres-only', dataDir, url, home);
  await liveIn('json-primary', dataDir, url, home);
}, 180_000);
