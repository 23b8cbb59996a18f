import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { newDatabase } from './database.ts';
import { startLoad } from './load.ts';
import { EXPENSE_ROWS, legacyFile, query } from './record-client.ts';
import { startTandem, temporaryFolder } from './tandem-process.ts';

const WAIT = { timeout: 60_000, interval: 50 };
const WRITERS = 8;
const WRITES_BETWEEN = 100;

const FLAGS = {
  'json-only': [false, false],
  'json-primary': [false, true],
  'postgres-primary': [true, true],
  'postgres-only': [true, false],
} as const;
type Phase = keyof typeof FLAGS;

/** As an operator types it into psql: one statement a flag. */
async function setFlags(url: string, phase: Phase): Promise<void> {
  const [useDatabase, dualWrite] = FLAGS[phase];
  await query(
    url,
    `INSERT INTO feature_flags (name, enabled) VALUES ('USE_DATABASE_STORAGE', ${useDatabase})
     ON CONFLICT (name, user_id) DO UPDATE SET enabled = excluded.enabled`,
  );
  await query(
    url,
    `UPDATE feature_flags SET enabled = ${dualWrite} WHERE name = 'DUAL_WRITE_ENABLED'`,
  );
}

test('I3, I6: flags typed while clients write move the phase to the end and back, without an error', async () => {
  const dataDir = temporaryFolder();
  const url = await newDatabase();
  const tandem = startTandem({ DATA_DIR: dataDir, DATABASE_URL: url });
  const origin = await tandem.ready();
  const load = startLoad(origin, WRITERS);
  const more = async () => {
    const before = load.acknowledged.size;
    await vi.waitUntil(() => load.acknowledged.size >= before + WRITES_BETWEEN, WAIT);
  };
  const reached = async (phase: Phase) => {
    await setFlags(url, phase);
    await vi.waitUntil(async () => {
      const answer = (await (await fetch(`${origin}/readyz`)).json()) as {
        phase: { desired: string; effective: string };
      };
      return answer.phase.desired === phase && answer.phase.effective === phase;
    }, WAIT);
    await more();
  };
  try {
    await more();
    for (const phase of [
      'postgres-primary',
      'postgres-only',
      'postgres-primary',
      'json-primary',
      'json-only',
      'json-primary',
      // Through two phases at once, in both directions.
      'postgres-only',
      'json-primary',
    ] as const) {
      await reached(phase);
    }
  } catch (error) {
    throw new Error(`${error}\n${tandem.output()}`);
  }
  await load.stop();
  expect(Object.fromEntries(load.refused), tandem.output()).toEqual({});
  expect(await tandem.interrupt()).toBe(0);

  const file = legacyFile(join(dataDir, 'json'), 'expenses.json');
  expect(await query(url, EXPENSE_ROWS)).toEqual(file);
  const stored = new Map(file.map((expense) => [expense.id, expense]));
  for (const [id, expense] of load.acknowledged) expect(stored.get(id) ?? null).toEqual(expense);
  expect(await query(url, `SELECT * FROM pgboss.job WHERE name LIKE '%-dead'`)).toEqual([]);
}, 240_000);
