import { join } from 'node:path';
import { startTcpProxy } from '@tandem/storage/testing';
import { expect, onTestFinished, test, vi } from 'vitest';
import { moreWrites, startLoad } from '../load.ts';
import { reach, reached, setFlags } from '../phase-flags.ts';
import { recordPrimaries } from '../primaries-recorder.ts';
import { call, query } from '../record-client.ts';
import { newMigratedDatabase, startApi } from '../services.ts';
import { temporaryFolder } from '../tandem-process.ts';

const WRITERS = 4;
const WRITES_BETWEEN = 40;
const WAIT = { timeout: 60_000, interval: 20 };
/** The process stays at the failpoint until the trap for its COMMIT is set. */
const HELD_AT_FAILPOINT_MS = 1_000;
const BODY = { date: '2025-11-23', category: 'Food', account: 'Cash', amount: 1 };

test.for([
  ['after the server had it', true],
  ['before the server had it', false],
] as const)(
  'I3: the answer to the COMMIT of a switch is cut off %s: never two primaries, reads go on, writes once the server answers',
  { timeout: 150_000 },
  async ([, delivered]) => {
    const dataDir = temporaryFolder();
    const direct = await newMigratedDatabase();
    const proxy = await startTcpProxy(direct);
    onTestFinished(() => proxy.close());
    const api = await startApi({
      DATA_DIR: dataDir,
      DATABASE_URL: proxy.url,
      TANDEM_FAILPOINT: `promote.committing-marked:${HELD_AT_FAILPOINT_MS}`,
    });
    const { origin } = api;
    const recorder = recordPrimaries(direct, join(dataDir, 'json'));
    const load = startLoad(origin, WRITERS);
    try {
      await reach(direct, origin, 'json-primary');
      await moreWrites(load, WRITES_BETWEEN);
      const created = await call(origin, 'POST', '/api/v1/expense', BODY);
      const { id } = (created.body as { expense: { id: number } }).expense;
      await setFlags(direct, 'postgres-primary');
      await api.prints('Failpoint promote.committing-marked reached.');
      await proxy.cutAt('COMMIT', { delivered });
      proxy.refuse();
      proxy.cut();

      const committed = (await query(direct, 'SELECT phase FROM phase_state'))[0]?.phase;
      expect(committed).toBe(delivered ? 'postgres-primary' : 'json-primary');
      const before = load.acknowledged.size;
      const read = await call(origin, 'GET', `/api/v1/expense/${id}`);
      expect(read.status, JSON.stringify(read.body)).toBe(200);
      const write = await call(origin, 'POST', '/api/v1/expense', BODY);
      expect(write.status).toBe(503);
      expect(write.body).toMatchObject({ type: expect.stringMatching(/unavailable$/) });
      expect(load.acknowledged.size).toBeLessThanOrEqual(before);

      proxy.accept();
      await reached(origin, 'postgres-primary');
      await moreWrites(load, WRITES_BETWEEN);
    } catch (error) {
      throw new Error(`${error}\n${api.output().slice(-8_000)}`);
    } finally {
      await load.stop();
      await recorder.stop();
    }
    expect(recorder.violations).toEqual([]);
    expect(recorder.looks).toBeGreaterThan(0);
    expect(load.repeatedIds).toEqual([]);
    expect([...load.refused.keys()].filter((status) => status !== 503)).toEqual([]);
    const stored = await query(direct, 'SELECT id, notes FROM expenses');
    const notes = new Map(stored.map((row) => [row.id, row.notes]));
    for (const [id, expense] of load.acknowledged) {
      expect(notes.get(id)).toBe(expense?.notes);
    }
    await vi.waitUntil(async () => (await api.stop()) === 0, WAIT);
  },
);
