// Edits of expenses.json by something else, while the service runs: in each phase whoever holds the
// JSON store decides about them, and the primary takes what is adopted.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadCollections } from '@tandem/storage/collections';
import { checkpointWherever, inspectJsonStore } from '@tandem/storage/json';
import { silentLog } from '@tandem/storage/log';
import { expect, test, vi } from 'vitest';
import { newDatabase } from './database.ts';
import { call, EXPENSE_ROWS, legacyFile, query } from './record-client.ts';
import { environmentWith, startProcess, startTandem, temporaryFolder } from './tandem-process.ts';

const WAIT = { timeout: 45_000, interval: 100 };
const GUIDE = { date: '2025-12-07', category: 'Food', amount: 1.5, account: 'Cash' };

interface Edit {
  readonly name: string;
  readonly status: string;
}

test('edits by hand are adopted and rejected while the service runs, in Phase 3 and in Phase 4', async () => {
  const dataDir = temporaryFolder();
  const jsonDir = join(dataDir, 'json');
  const file = join(jsonDir, 'expenses.json');
  const url = await newDatabase();
  const variables = { DATA_DIR: dataDir, DATABASE_URL: url };
  const tandem = startTandem(variables);
  const origin = await tandem.ready();
  const token = readFileSync(join(dataDir, 'operator-token'), 'utf8').trim();
  const operator = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${origin}/api/v1/migration${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: await answer.json() };
  };
  const cli = async (...args: readonly string[]) => {
    const command = startProcess(
      [process.execPath, 'apps/cli/src/main.ts', ...args],
      environmentWith(variables),
    );
    expect(await command.ended, command.output()).toBe(0);
    return command.output();
  };
  const collections = await loadCollections();
  const checkpoint = () =>
    checkpointWherever({
      ...{ directory: jsonDir, collections, log: silentLog, timeoutMs: WAIT.timeout },
    });
  /** Changes the notes of expense 1 in the file, and lets the holder look. */
  const editByHand = async (notes: string) => {
    await checkpoint();
    const records = legacyFile(jsonDir, 'expenses.json');
    const edited = records.map((record) => (record.id === 1 ? { ...record, notes } : record));
    writeFileSync(file, JSON.stringify(edited));
    await checkpoint();
    const all = (await operator('GET', '/external-edits')).body as Edit[];
    expect(all.at(-1)).toMatchObject({ status: 'open', changed: [1] });
    return all.at(-1)?.name ?? '';
  };
  const served = async () => {
    const { body } = await call(origin, 'GET', '/api/v1/expense/1');
    return (body as { notes: unknown }).notes;
  };
  const replicated = (notes: string) =>
    vi.waitUntil(async () => (await query(url, EXPENSE_ROWS))[0]?.notes === notes, WAIT);

  expect((await call(origin, 'POST', '/api/v1/expense', GUIDE)).status).toBe(200);
  const first = await editByHand('Phase 3');
  // The gate is closed while it waits.
  const dryRun = { desired: 'postgres-primary', reason: 'To see.', dryRun: true };
  const plan = (await operator('PUT', '/phase', dryRun)).body as { steps: { gates: object[] }[] };
  expect(plan.steps[0]?.gates).toContainEqual(
    expect.objectContaining({ name: 'foreign edits', open: false, value: 1 }),
  );
  const reason = 'It was meant.';
  expect(await operator('POST', `/external-edits/${first}/adopt`, { reason })).toMatchObject({
    ...{ status: 200, body: { status: 'adopted' } },
  });
  expect(await served()).toBe('Phase 3');
  await replicated('Phase 3');

  await operator('PUT', '/phase', { desired: 'postgres-primary', reason: 'Phase 4.' });
  // The worker holds the JSON store now; PostgreSQL takes the edit, and JSON follows.
  await vi.waitUntil(
    async () => (await inspectJsonStore(jsonDir)).holder?.processName === 'worker',
    WAIT,
  );
  const second = await editByHand('Phase 4');
  expect(await served()).toBe('Phase 3');
  await cli('external-edits', 'adopt', second, '--reason', reason);
  expect(await served()).toBe('Phase 4');
  await vi.waitUntil(async () => {
    await checkpoint();
    return legacyFile(jsonDir, 'expenses.json')[0]?.notes === 'Phase 4';
  }, WAIT);
  const third = await editByHand('not meant');
  expect(await cli('external-edits', 'reject', third, '--reason', 'A mistake.')).toMatch(
    /Decision +reject by .*A mistake\./,
  );
  expect(legacyFile(jsonDir, 'expenses.json')[0]?.notes).toBe('Phase 4');
  expect(await served()).toBe('Phase 4');
  const audit = `SELECT action, details->>'edit' AS edit FROM audit_log
    WHERE action LIKE '%-external-edit' ORDER BY id`;
  expect(await query(url, audit)).toEqual([
    { action: 'adopt-external-edit', edit: first },
    { action: 'adopt-external-edit', edit: second },
    { action: 'reject-external-edit', edit: third },
  ]);
  expect(await tandem.interrupt()).toBe(0);
}, 120_000);
