import { join } from 'node:path';
import { startTcpProxy } from '@tandem/storage/testing';
import { expect, test, vi } from 'vitest';
import { newDatabase } from './database.ts';
import { call, legacyFile, query } from './record-client.ts';
import { environmentWith, startProcess, startTandem, temporaryFolder } from './tandem-process.ts';

const WAIT = { timeout: 30_000, interval: 100 };
const EXPENSE = { date: '2025-12-07', category: 'Food', amount: 1, account: 'Cash' };
const BRAKE = { FF_USE_DATABASE_STORAGE: 'false', FF_DUAL_WRITE_ENABLED: 'false' };

const create = async (origin: string, notes: string): Promise<number> => {
  const answer = await call(origin, 'POST', '/api/v1/expense', { ...EXPENSE, notes });
  expect(answer.status).toBe(200);
  return (answer.body as { expense: { id: number } }).expense.id;
};
const note = (origin: string, id: number, value: string) =>
  call(origin, 'PATCH', `/api/v1/expense/${id}`, { field: 'notes', value });

/** An api process of another machine: its own folder, and its own way to PostgreSQL. */
async function startElsewhere(url: string): Promise<string> {
  const running = startProcess(
    [process.execPath, 'apps/api/src/server.ts'],
    environmentWith({
      DATABASE_URL: url,
      JSON_DIR: join(temporaryFolder(), 'elsewhere'),
      PORT: '0',
    }),
  );
  await running.prints('Serving in postgres-primary.');
  const [, origin] = /listening at (http:\/\/[\d.:]+)/.exec(running.output()) ?? [];
  return origin as string;
}

test('I3, I4, I9: the emergency brake, while another api still reaches PostgreSQL, and the return', async () => {
  const url = await newDatabase();
  const proxy = await startTcpProxy(url);
  const dataDir = temporaryFolder();
  const variables = { DATA_DIR: dataDir, DATABASE_URL: proxy.url };

  const before = startTandem({ ...variables, FF_USE_DATABASE_STORAGE: 'true' });
  const first = await before.ready();
  const forked = await create(first, 'both will change it');
  const theirs = await create(first, 'only PostgreSQL will change it');
  const untouched = await create(first, 'nobody will change it');
  await query(
    url,
    `INSERT INTO feature_flags (name, enabled) VALUES ('USE_DATABASE_STORAGE', true)`,
  );
  await before.prints('Dual-write: Created expense 3 in JSON');
  expect(await before.interrupt()).toBe(0);

  proxy.refuse();
  // Merely down is no brake.
  const down = startTandem(variables);
  expect(await down.ended).not.toBe(0);
  expect(down.errors()).toMatch(/primary is PostgreSQL \(postgres-primary\)/);

  const braked = startTandem({ ...variables, ...BRAKE });
  const here = await braked.ready();
  expect(braked.output()).toContain('EMERGENCY BRAKE: serving from JSON');
  const readiness = (await (await fetch(`${here}/readyz`)).json()) as { phase: { brake: string } };
  expect(readiness.phase.brake).toMatch(/JSON may lack what it acknowledged, since 20\d\d-/);
  const elsewhere = await startElsewhere(url);

  expect((await note(here, forked, 'changed in JSON')).status).toBe(200);
  const ours = await create(here, 'made in JSON');
  expect((await note(elsewhere, forked, 'changed in PostgreSQL')).status).toBe(200);
  expect((await note(elsewhere, theirs, 'changed in PostgreSQL')).status).toBe(200);
  const alsoTheirs = await create(elsewhere, 'made in PostgreSQL');
  expect(ours).toBeGreaterThan(1_000_000);
  expect(alsoTheirs).toBeLessThan(1_000_000);

  proxy.accept();
  await braked.prints('The emergency brake is over: ', WAIT.timeout);
  await vi.waitUntil(async () => {
    const { body } = await call(here, 'GET', `/api/v1/expense/${alsoTheirs}`);
    return (body as { notes?: string }).notes === 'made in PostgreSQL';
  }, WAIT);
  const late = await note(elsewhere, untouched, 'too late');
  expect(late.status).toBe(503);

  const notes = async (origin: string) => {
    const { body } = await call(origin, 'GET', '/api/v1/expense');
    return new Map((body as { id: number; notes: string }[]).map((e) => [e.id, e.notes]));
  };
  expect(await notes(here)).toEqual(
    new Map([
      [forked, 'changed in JSON'],
      [theirs, 'changed in PostgreSQL'],
      [untouched, 'nobody will change it'],
      [ours, 'made in JSON'],
      [alsoTheirs, 'made in PostgreSQL'],
    ]),
  );
  // Both sides of the fork are kept, and listed once.
  expect(await query(url, `SELECT notes FROM expenses WHERE id = ${forked}`)).toEqual([
    { notes: 'changed in PostgreSQL' },
  ]);
  const forks = await query(
    url,
    'SELECT class, record_id::int, incoming, secondary_text FROM divergences',
  );
  expect(forks).toHaveLength(1);
  expect(forks[0]).toMatchObject({ class: 'fork', record_id: forked });
  expect(JSON.stringify(forks[0])).toContain('changed in JSON');
  expect(JSON.stringify(forks[0])).toContain('changed in PostgreSQL');
  await vi.waitUntil(
    async () => (await query(url, `SELECT 1 FROM expenses WHERE id = ${ours}`)).length === 1,
    WAIT,
  );
  expect(await braked.interrupt()).toBe(0);
  expect(legacyFile(join(dataDir, 'json'), 'expenses.json')).toHaveLength(5);

  // Nobody settles the fork by moving on; a decision does: the state that counts, written anew.
  const after = startTandem(variables);
  const origin = await after.ready();
  const phase = async () =>
    ((await (await fetch(`${origin}/readyz`)).json()) as { phase: Record<string, string> }).phase;
  expect(await phase()).toMatchObject({
    desired: 'postgres-primary',
    effective: 'json-primary',
    waitingFor: expect.stringContaining('undecided: 1 (needed: none)'),
  });
  expect((await note(origin, forked, 'decided')).status).toBe(200);
  await query(url, `UPDATE divergences SET resolved_at = now(), resolution = 'JSON counts'`);
  await query(url, `DELETE FROM pgboss.job WHERE name LIKE '%-dead'`);
  await vi.waitUntil(async () => (await phase()).effective === 'postgres-primary', WAIT);
  expect((await notes(origin)).get(forked)).toBe('decided');
  expect(await after.interrupt()).toBe(0);
  await proxy.close();
}, 180_000);
