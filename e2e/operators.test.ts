import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { newDatabase } from './database.ts';
import { call, legacyFile } from './record-client.ts';
import { environmentWith, startProcess, startTandem, temporaryFolder } from './tandem-process.ts';

const WAIT = { timeout: 45_000, interval: 100 };

interface Standing {
  readonly desired: string;
  readonly effective: string;
}

test('operators move the phase over HTTP and from the command line, and see who runs', async () => {
  const dataDir = temporaryFolder();
  const variables = { DATA_DIR: dataDir, DATABASE_URL: await newDatabase() };
  const tandem = startTandem(variables);
  const origin = await tandem.ready();
  const token = (await readFile(join(dataDir, 'operator-token'), 'utf8')).trim();
  const operator = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${origin}/api/v1/migration${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    expect(answer.status).toBe(200);
    return answer.json() as Promise<unknown>;
  };
  const cli = async (args: readonly string[], more: Record<string, string> = {}) => {
    const command = startProcess(
      [process.execPath, 'apps/cli/src/main.ts', ...args],
      environmentWith({ ...variables, ...more }),
    );
    return { status: await command.ended, output: command.output() };
  };
  const reached = (phase: string) =>
    vi.waitUntil(async () => {
      const { desired, effective } = (await operator('GET', '/phase')) as Standing;
      return desired === phase && effective === phase;
    }, WAIT);

  await reached('json-primary');
  expect((await fetch(`${origin}/api/v1/migration/phase`)).status).toBe(401);
  await vi.waitUntil(
    async () => ((await operator('GET', '/processes')) as unknown[]).length === 2,
    WAIT,
  );
  expect(await operator('GET', '/processes')).toMatchObject([
    { kind: 'api', desired: 'json-primary', effective: 'json-primary', ready: true },
    { kind: 'worker', desired: 'json-primary' },
  ]);

  const created = { date: '2025-12-07', category: 'Food', amount: 1.5, account: 'Cash' };
  expect((await call(origin, 'POST', '/api/v1/expense', created)).status).toBe(200);
  // I7: by the api, which holds the store.
  expect(await cli(['checkpoint'])).toMatchObject({
    status: 0,
    output: expect.stringContaining('written by api (pid '),
  });
  expect(legacyFile(join(dataDir, 'json'), 'expenses.json')).toHaveLength(1);

  const record = (await operator('GET', '/records/expense/1')) as object;
  expect(record).toMatchObject({ phase: 'json-primary', json: { state: 'live' } });
  expect(await operator('GET', '/dead-letters')).toEqual({ letters: [], total: 0, next: null });

  const backfill = await cli(['backfill', '--json']);
  expect(backfill.status, backfill.output).toBe(0);
  expect(JSON.parse(backfill.output)).toMatchObject({
    ...{ towards: 'postgres', state: 'done', takenBy: expect.stringMatching(/^api /) },
    result: { seen: 1, remaining: 0 },
  });

  const verify = async () => {
    const { status, output } = await cli(['verify', '--json']);
    const { id, mode, differences } = JSON.parse(output);
    return { status, mode, id, classes: differences.map((one: { class: string }) => one.class) };
  };
  await cli(['sql', `UPDATE expenses SET notes = 'typed' WHERE id = 1`]);
  const edited = await verify();
  expect(edited).toMatchObject({ status: 1, mode: 'changed', classes: ['conflict'] });
  // Which of the two counts is for a person to say.
  const choice = ['--keep', 'primary', '--reason', 'A slip.'];
  const chosen = await cli(['divergences', 'resolve', '--run', `${edited.id}`, ...choice]);
  expect(chosen, chosen.output).toMatchObject({ status: 0 });

  await operator('PUT', '/phase', { desired: 'postgres-primary', reason: 'Phase 4.' });
  await reached('postgres-primary');
  expect((await call(origin, 'POST', '/api/v1/expense', created)).status).toBe(200);
  await cli(['sql', 'DELETE FROM expenses WHERE id = 1']);
  const lost = await verify();
  expect(lost).toMatchObject({ status: 1, mode: 'changed', classes: ['divergent'] });
  const mended = await cli(['repair', '--run', `${lost.id}`, '--reason', 'It is gone for good.']);
  expect(mended, mended.output).toMatchObject({ status: 0 });
  expect(await verify()).toMatchObject({ status: 0, classes: [] });

  // Another environment than theirs claims no other desired phase.
  const status = await cli(['status', '--json'], { FF_USE_DATABASE_STORAGE: 'false' });
  expect(JSON.parse(status.output)).toMatchObject({
    ...{ desired: 'postgres-primary', effective: 'postgres-primary', deadLetters: 0 },
    processes: [{ kind: 'api' }, { kind: 'worker' }],
  });
  expect((await cli(['phase', 'set', 'json-primary', '--reason', 'Back.'])).status).toBe(0);
  await reached('json-primary');
  const history: { from: string | null; to: string }[] = JSON.parse(
    (await cli(['phase', 'history', '--json'])).output,
  );
  // Pairing and sealing are entries too; they leave the phase as it is.
  // A move is told with who asked for it and why.
  expect(history.filter(({ from, to }) => from !== to).slice(0, 4)).toMatchObject([
    { kind: 'moved', from: 'postgres-primary', to: 'json-primary', reason: 'Back.' },
    { kind: 'set', to: 'json-primary', reason: 'Back.' },
    {
      ...{ kind: 'moved', from: 'json-primary', to: 'postgres-primary', reason: 'Phase 4.' },
      evidence: { driver: expect.stringMatching(/^api /), gates: { backlog: expect.any(Number) } },
    },
    { kind: 'set', to: 'postgres-primary', reason: 'Phase 4.' },
  ]);
  expect(await tandem.interrupt()).toBe(0);
  expect(tandem.output()).not.toContain(token);
}, 180_000);

test('a phase that the environment of a running service locks is refused with status 3', async () => {
  const dataDir = temporaryFolder();
  const variables = { DATA_DIR: dataDir, DATABASE_URL: await newDatabase() };
  const tandem = startTandem({ ...variables, FF_DUAL_WRITE_ENABLED: 'true' });
  await tandem.ready();
  const refused = startProcess(
    [process.execPath, 'apps/cli/src/main.ts', 'phase', 'set', 'json-only', '--reason', 'No.'],
    environmentWith(variables),
  );
  expect(await refused.ended).toBe(3);
  expect(refused.output()).toMatch(
    /^json-only can't be set: FF_DUAL_WRITE_ENABLED=true is set for api /,
  );
  expect(await tandem.interrupt()).toBe(0);
});
