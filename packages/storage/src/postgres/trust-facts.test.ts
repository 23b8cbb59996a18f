import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { readTrustFacts } from './trust-facts.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test('what the runs and the ledger say is told, the latest run first', async () => {
  const none = { divergent: 0, conflict: 0, fork: 0 };
  const { pool } = database;
  expect(await readTrustFacts(pool)).toEqual({ verified: [], readiness: null, divergences: none });
  await pool.query(`
    INSERT INTO verify_runs
      (started_at, finished_at, "primary", epoch, outbox_seq, mode, outcome, counts, readiness)
    SELECT now(), now() - age * interval '1 minute', 'json', 2, 0, mode, outcome, '{"fork": 1}', ready
    FROM (VALUES
      (90, 'full', 'clean', '{"share": 0.5}'::json), (60, 'full', 'differences', '{"share": 0.75}'),
      (7, 'changed', 'clean', NULL), (5, 'changed', 'inconclusive', NULL)
    ) AS runs (age, mode, outcome, ready);
    INSERT INTO verify_runs (started_at, "primary", epoch, outbox_seq) VALUES (now(), 'json', 2, 0)`);
  const { verified, readiness } = await readTrustFacts(pool);
  expect(readiness).toBe(0.75);
  expect(verified).toEqual([
    {
      mode: 'changed',
      outcome: 'inconclusive',
      counts: { fork: 1 },
      ageSeconds: expect.any(Number),
    },
    { mode: 'full', outcome: 'differences', counts: { fork: 1 }, ageSeconds: expect.any(Number) },
  ]);
  expect(verified.map(({ ageSeconds }) => Math.floor(ageSeconds / 60))).toEqual([5, 60]);
});
