import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCollections } from '@tandem/storage/collections';
import { openJsonStore } from '@tandem/storage/json';
import { silentLog } from '@tandem/storage/log';
import { type PhaseFlags, resolveFlags } from '@tandem/storage/phase';
import { ProcessRegistry, readPhaseFlags } from '@tandem/storage/postgres';
import { create, createTestDatabase, expense, type TestDatabase } from '@tandem/storage/testing';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { run } from './run.ts';

let dataDir: string;
let database: TestDatabase;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'tandem-phase-'));
  database = await createTestDatabase();
});
afterEach(async () => {
  await database.drop();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Runs a command as the shell would; gives what it printed on each stream. */
async function tandem(args: readonly string[], variables: Record<string, string> = {}) {
  const data: string[] = [];
  const said: string[] = [];
  const exitCode = await run(
    args,
    { DATA_DIR: dataDir, DATABASE_URL: database.url, ...variables },
    { data: (text) => data.push(text), say: (text) => said.push(text) },
  );
  return { exitCode, data: data.join('\n'), said: said.join('\n') };
}

/** An api that runs, as far as the database knows. */
async function runningApi(locked: Partial<PhaseFlags>, waitingFor: string | null = null) {
  const registry = new ProcessRegistry({ pool: database.pool, kind: 'api', log: silentLog });
  const rows = await readPhaseFlags(database.pool);
  const { flags, desired } = resolveFlags(locked, { read: true, rows }, null);
  await registry.beat({
    ...{
      effective: 'json-only',
      epoch: 1,
      desired,
      flags,
      ready: true,
      waitingFor,
      catchUp: null,
      work: null,
    },
  });
  onTestFinished(() => registry.stop());
  return registry;
}

const BECAUSE = ['--reason', 'Phase 3 on Monday.'];

test('phase set writes both flags; show and history tell who asked, and why', async () => {
  const set = await tandem(['phase', 'set', 'json-primary', ...BECAUSE]);
  expect(set).toMatchObject({
    exitCode: 0,
    said: 'No api or worker runs: the phase moves when one starts.',
  });
  expect(set.data.split('\n').slice(0, 3)).toEqual([
    'The flags ask for json-primary now.',
    '',
    '1. json-only → json-primary: PostgreSQL is brought up to date by difference and follows JSON.',
  ]);
  expect(await readPhaseFlags(database.pool)).toEqual({
    USE_DATABASE_STORAGE: false,
    DUAL_WRITE_ENABLED: true,
  });
  const show = JSON.parse((await tandem(['phase', '--json'])).data);
  expect(show).toMatchObject({
    ...{ desired: 'json-primary', effective: 'json-only', source: 'asked', disagreement: null },
    intent: { act: 'set', desired: 'json-primary', reason: 'Phase 3 on Monday.' },
  });
  const text = await tandem(['phase']);
  expect(text.data).toMatch(/^Phase {8}json-only, desired json-primary \(epoch 0\)$/m);
  expect(text.data).toMatch(/^Last asked {3}set json-primary \(.+@.+\): Phase 3 on Monday\.$/m);
  await tandem(['phase', 'cancel', '--reason', 'Not yet.']);
  const history = JSON.parse((await tandem(['phase', 'history', '--json'])).data);
  expect(history).toMatchObject([
    { kind: 'cancel', to: 'json-only', reason: 'Not yet.' },
    { kind: 'set', to: 'json-primary', reason: 'Phase 3 on Monday.' },
  ]);
  expect((await tandem(['phase', 'history', '--limit', '1'])).data).toMatch(/ cancel json-only /);
});

test('a dry run shows the way, its gates and its pause, and writes nothing', async () => {
  const { exitCode, data } = await tandem([
    'phase',
    'set',
    'postgres-only',
    '--dry-run',
    ...BECAUSE,
  ]);
  expect(exitCode).toBe(0);
  expect(data).toMatch(/^Nothing was written\.$/m);
  expect(data).toMatch(/^2\. json-primary → postgres-primary: PostgreSQL becomes the primary /m);
  expect(data).toMatch(/^ {3}Writes wait about 200 ms \(estimated\)\.$/m);
  expect(data).toMatch(/^ {4}dead letters +\| yes +\| 0 +\| none /m);
  expect(data).toMatch(/^ {4}mapping errors +\| \? +\| not known from here /m);
  expect(await readPhaseFlags(database.pool)).toEqual({});
});

test('a flag locked by a live process’s environment is refused with status 3', async () => {
  await runningApi({ DUAL_WRITE_ENABLED: false });
  const refused = await tandem(['phase', 'set', 'json-primary', ...BECAUSE]);
  expect(refused).toMatchObject({ exitCode: 3, data: '' });
  expect(refused.said).toMatch(
    new RegExp(
      `^json-primary can't be set: FF_DUAL_WRITE_ENABLED=false is set for api ${process.pid} on `,
    ),
  );
  expect(await readPhaseFlags(database.pool)).toEqual({});
});

test('a wait ends when the phase is there, or with status 1 and what it waits for', async () => {
  const there = await tandem(['phase', 'set', 'json-only', '--wait', ...BECAUSE]);
  expect(there).toMatchObject({ exitCode: 0, said: expect.stringMatching(/is json-only now\.$/) });
  await runningApi({ DUAL_WRITE_ENABLED: true }, 'dead letters: 2');
  const late = await tandem(['phase', 'set', 'json-primary', '--wait', '1', ...BECAUSE]);
  expect(late.exitCode).toBe(1);
  expect(late.said).toBe('The phase is json-only still; it waits for dead letters: 2');
  const wrong = await tandem(['phase', 'set', 'json-primary', '--wait', 'long', ...BECAUSE]);
  expect(wrong.exitCode).toBe(2);
});

test('wrong usage is status 2: another phase, no reason', async () => {
  expect((await tandem(['phase', 'set', 'phase-4', ...BECAUSE])).exitCode).toBe(2);
  expect((await tandem(['phase', 'set', 'json-primary'])).exitCode).toBe(2);
  expect((await tandem(['phase', 'cancel', '--reason', ' '])).exitCode).toBe(2);
  expect((await tandem(['phase', 'history', '--limit', '0'])).exitCode).toBe(2);
});

test('without PostgreSQL the phase is not known here, in one sentence that says what to do', async () => {
  const { exitCode, said } = await tandem(['phase'], {
    DATABASE_URL: 'postgres://somebody:secret@127.0.0.1:1/nowhere',
  });
  expect(exitCode).toBe(1);
  expect(said).toMatch(
    /^The database of DATABASE_URL can't be asked: PostgreSQL is not available: [^\n]+ Is it running\?$/,
  );
});

test('status shows who runs and takes their word for what is desired, not this environment’s', async () => {
  const own = { FF_USE_DATABASE_STORAGE: 'on' };
  const before = JSON.parse((await tandem(['status', '--json'], own)).data);
  expect(before).toMatchObject({ desired: 'postgres-only', processes: [] });
  await runningApi({ DUAL_WRITE_ENABLED: true }, 'dead letters: 2.');
  const { data } = await tandem(['status', '--json'], own);
  expect(JSON.parse(data)).toMatchObject({
    ...{ desired: 'json-primary', effective: 'json-only', backlog: 0, deadLetters: 0 },
    flags: { DUAL_WRITE_ENABLED: { value: true, source: 'environment' } },
    processes: [{ kind: 'api', pid: process.pid, desired: 'json-primary', ready: true }],
    problems: [],
  });
  const text = (await tandem(['status'], own)).data;
  expect(text).toMatch(
    new RegExp(
      `^ api ${process.pid} on \\S+ +\\| json-only \\| +1 \\| json-primary \\| false \\(default\\) +\\| true \\(environment\\) +\\| ready; waiting for dead letters: 2\\.$`,
      'm',
    ),
  );
});

test('status names processes whose environments disagree', async () => {
  await runningApi({ DUAL_WRITE_ENABLED: true });
  await runningApi({});
  const { problems } = JSON.parse((await tandem(['status', '--json'])).data);
  expect(problems).toEqual([
    expect.stringMatching(/^The environments disagree, so no switch starts/),
  ]);
  expect((await tandem(['status'])).data).toContain(problems[0]);
});

test('of a folder without a store nobody is told that it has no edits', async () => {
  expect(await tandem(['external-edits'])).toMatchObject({
    ...{ exitCode: 1, data: '' },
    said: `There is no JSON store in ${join(dataDir, 'json')} yet.`,
  });
});

test('I7: checkpoint brings the files up, by the process that holds the store or by itself', async () => {
  const directory = join(dataDir, 'json');
  expect(await tandem(['checkpoint'])).toMatchObject({
    exitCode: 1,
    said: expect.stringMatching(/^There is no JSON store in .+ yet\.$/),
  });
  const collections = await loadCollections();
  const open = () => openJsonStore({ directory, collections, processName: 'api' });
  const records = async () =>
    JSON.parse(await readFile(join(directory, expense.file), 'utf8')) as unknown[];
  const store = await open();
  await create(store);
  expect(await tandem(['checkpoint'])).toMatchObject({
    exitCode: 0,
    said: `The files in ${directory} are up to date; written by api (pid ${process.pid}).`,
  });
  expect(await records()).toHaveLength(1);
  await store.close();
  const { data } = await tandem(['checkpoint', '--json']);
  expect(JSON.parse(data)).toEqual({ directory, by: null });
});
