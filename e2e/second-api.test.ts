// Several api processes over one installation, and what a stopped one may still do.
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { type Load, moreWrites, startLoad } from './load.ts';
import { phaseAt, reach, reached, setFlags } from './phase-flags.ts';
import { recordPrimaries } from './primaries-recorder.ts';
import { EXPENSE_ROWS, legacyFile, query } from './record-client.ts';
import { newMigratedDatabase, startApi, startWorker } from './services.ts';
import { temporaryFolder } from './tandem-process.ts';

const WRITERS = 3;
const WRITES_BETWEEN = 40;
const WAIT = { timeout: 60_000, interval: 50 };

/** Why a process is not ready; `undefined` when it is. */
async function unreadyBecause(origin: string): Promise<string | undefined> {
  const answer = await fetch(`${origin}/readyz`);
  const body = (await answer.json()) as { dependencies: { primary?: { detail?: string } } };
  return answer.status === 503 ? (body.dependencies.primary?.detail ?? '') : undefined;
}

/** What a process believes is desired, also while it is not ready. */
async function desiredAt(origin: string): Promise<string> {
  const answer = (await (await fetch(`${origin}/readyz`)).json()) as { phase: { desired: string } };
  return answer.phase.desired;
}

/** Of two that serve PostgreSQL one gets the JSON store. The other says it is not ready before the first
 *  of its requests is told so, with the time to wait. */
async function leavesReadinessFirst(
  origins: readonly [string, string],
  loads: readonly [Load, Load],
): Promise<void> {
  const refused = (load: Load): number => load.refused.get(503) ?? 0;
  const before = loads.map(refused);
  let left: number | undefined;
  await vi.waitUntil(
    async () => {
      const now = loads.map(refused);
      const because = await Promise.all(origins.map(unreadyBecause));
      left = because.findIndex((why) => /is held by api/.test(why ?? ''));
      if (left < 0) return false;
      // What was refused before readiness was asked would have been refused too early.
      expect(now).toEqual(before);
      return true;
    },
    { ...WAIT, interval: 20 },
  );
  const other = left === 0 ? 1 : 0;
  await reached(origins[other], 'json-primary');
  await vi.waitUntil(() => refused(loads[left as 0 | 1]) > (before[left as 0 | 1] ?? 0), WAIT);
  const answer = await fetch(`${origins[left as 0 | 1]}/api/v1/expense`);
  expect(answer.status).toBe(503);
  expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
  await moreWrites(loads[other], WRITES_BETWEEN);
  expect(refused(loads[other])).toBe(before[other]);
}

test('I3: an api process stopped before the seal and continued after the switch does not write, and serves again when PostgreSQL does', async () => {
  const dataDir = temporaryFolder();
  const variables = { DATA_DIR: dataDir, DATABASE_URL: await newMigratedDatabase() };
  const url = variables.DATABASE_URL;
  const first = await startApi(variables);
  const worker = startWorker(variables);
  await reach(url, first.origin, 'postgres-primary');
  const second = await startApi(variables);
  await reached(second.origin, 'postgres-primary');
  const recorder = recordPrimaries(url, join(dataDir, 'json'));
  const loads = [startLoad(first.origin, WRITERS), startLoad(second.origin, WRITERS)] as const;
  const [atFirst, atSecond] = loads;
  try {
    await moreWrites(atFirst, WRITES_BETWEEN);
    await moreWrites(atSecond, WRITES_BETWEEN);
    // In the middle of whatever its transactions do.
    process.kill(second.pid, 'SIGSTOP');
    await setFlags(url, 'json-primary');
    await reached(first.origin, 'json-primary');
    await moreWrites(atFirst, WRITES_BETWEEN);
    const acknowledged = atSecond.acknowledged.size;
    process.kill(second.pid, 'SIGCONT');
    await vi.waitUntil(
      async () => (await unreadyBecause(second.origin))?.includes(`process ${first.pid}`),
      WAIT,
    );
    // Answers that were on their way when it was stopped may still arrive: one for each writer.
    expect(atSecond.acknowledged.size).toBeLessThanOrEqual(acknowledged + WRITERS);
    expect(await phaseAt(second.origin)).toBeUndefined();

    await setFlags(url, 'postgres-primary');
    await reached(second.origin, 'postgres-primary');
    await moreWrites(atSecond, WRITES_BETWEEN);
    await moreWrites(atFirst, WRITES_BETWEEN);
    expect(Object.fromEntries(atFirst.refused)).toEqual({});

    await setFlags(url, 'json-primary');
    await leavesReadinessFirst([first.origin, second.origin], loads);
  } catch (error) {
    throw new Error(`${error}\n${first.output().slice(-3_000)}\n${second.output().slice(-3_000)}`);
  } finally {
    for (const load of loads) await load.stop();
    await recorder.stop();
  }
  for (const service of [second, first, worker]) expect(await service.stop()).toBe(0);
  expect(recorder.violations).toEqual([]);
  const statuses = [...atFirst.refused.keys(), ...atSecond.refused.keys()];
  expect(statuses.filter((status) => status !== 503)).toEqual([]);
  const file = legacyFile(join(dataDir, 'json'), 'expenses.json');
  expect(await query(url, EXPENSE_ROWS)).toEqual(file);
  const stored = new Map(file.map((expense) => [expense.id, expense]));
  for (const [id, expense] of [...atFirst.acknowledged, ...atSecond.acknowledged]) {
    expect(stored.get(id) ?? null).toEqual(expense);
  }
  const twice = [...atFirst.acknowledged.keys()].filter((id) => atSecond.acknowledged.has(id));
  expect([...twice, ...atFirst.repeatedIds, ...atSecond.repeatedIds]).toEqual([]);
}, 180_000);

test('I3: no switch completes around a JSON holder that is stopped; it goes on when that is continued', async () => {
  const dataDir = temporaryFolder();
  const variables = { DATA_DIR: dataDir, DATABASE_URL: await newMigratedDatabase() };
  const url = variables.DATABASE_URL;
  const worker = startWorker(variables);
  const holder = await startApi({ ...variables, TANDEM_FAILPOINT: 'promote.before-seal:stop' });
  await reach(url, holder.origin, 'json-primary');
  const other = await startApi(variables);
  await vi.waitUntil(
    async () => (await unreadyBecause(other.origin))?.includes(`process ${holder.pid}`),
    WAIT,
  );
  const load = startLoad(holder.origin, WRITERS);
  await moreWrites(load, WRITES_BETWEEN);
  await setFlags(url, 'postgres-primary');
  await holder.prints('Failpoint promote.before-seal reached.');
  await vi.waitUntil(async () => (await desiredAt(other.origin)) === 'postgres-primary', WAIT);
  expect(await unreadyBecause(other.origin)).toContain(`process ${holder.pid}`);
  const [row] = await query(url, 'SELECT phase, sealed FROM phase_state');
  expect(row).toEqual({ phase: 'json-primary', sealed: false });

  process.kill(holder.pid, 'SIGCONT');
  await reached(holder.origin, 'postgres-primary');
  await reached(other.origin, 'postgres-primary');
  await load.stop();
  expect(Object.fromEntries(load.refused)).toEqual({});
  // The other one waited for the lock since its start, and what was asked for then counts no more.
  const back = `SELECT * FROM phase_history WHERE from_phase = 'postgres-primary'`;
  expect(await query(url, back)).toEqual([]);
  for (const service of [other, holder, worker]) expect(await service.stop()).toBe(0);
}, 120_000);
