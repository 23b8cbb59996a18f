import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLog } from '@tandem/storage/log';
import { createQueueClient, migrateQueues } from '@tandem/storage/replication';
import { createTestDatabase, type TestDatabase } from '@tandem/storage/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from './run.ts';

let dataDir: string;
let database: TestDatabase;
const jsonDir = () => join(dataDir, 'json');
const archiveFile = () => join(dataDir, 'put-away.tar.gz');

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'tandem-archive-'));
  database = await createTestDatabase();
  await migrateQueues(database.pool, silentLog);
  mkdirSync(jsonDir());
  writeFileSync(join(jsonDir(), 'expenses.json'), JSON.stringify(LEGACY));
});
afterEach(async () => {
  await database.drop();
  rmSync(dataDir, { recursive: true, force: true });
});

const LEGACY = [1, 2, 7].map((id) => ({
  ...{ id, date: '2025-12-07', business: null, category: 'c', amount: 1.5, account: 'a' },
  ...{ currency: '₪', notes: `n${id}` },
}));

const PHASES = {
  'json-primary': { FF_USE_DATABASE_STORAGE: 'false', FF_DUAL_WRITE_ENABLED: 'true' },
  'postgres-primary': { FF_USE_DATABASE_STORAGE: 'true', FF_DUAL_WRITE_ENABLED: 'true' },
  'postgres-only': { FF_USE_DATABASE_STORAGE: 'true', FF_DUAL_WRITE_ENABLED: 'false' },
};
type PhaseName = keyof typeof PHASES;

async function tandem(phase: PhaseName, args: readonly string[], directory = jsonDir()) {
  const told: string[] = [];
  const exitCode = await run(
    args,
    { DATA_DIR: dataDir, JSON_DIR: directory, DATABASE_URL: database.url, ...PHASES[phase] },
    { data: (text) => told.push(text), say: (text) => told.push(text) },
  );
  return { exitCode, told: told.join('\n') };
}

async function walkTo(phase: PhaseName, directory = jsonDir()): Promise<void> {
  const { exitCode, told } = await tandem(phase, ['doctor', '--apply'], directory);
  expect(exitCode, told).toBe(0);
}

const archive = (...args: string[]) =>
  tandem('postgres-only', ['archive-json', '--to', archiveFile(), ...args]);
const REASON = ['--reason', 'Phase 5 is stable'];

const recordsIn = (directory: string) =>
  JSON.parse(readFileSync(join(directory, 'expenses.json'), 'utf8'));

test('the JSON side is archived whole, says so, and is filled anew by a rollback', async () => {
  await walkTo('postgres-only');
  const before = readdirSync(jsonDir(), { recursive: true });
  expect(await archive('--dry-run')).toMatchObject({
    exitCode: 0,
    told: expect.stringMatching(/^Would be archived into .*\n\n.*expense +\| +3 \| +7\n/s),
  });
  expect(readdirSync(jsonDir(), { recursive: true })).toEqual(before);
  expect((await archive()).exitCode).toBe(2);

  const done = await archive(...REASON);
  expect(done, done.told).toMatchObject({ exitCode: 0 });
  expect(done.told).toContain('read back and compared');
  expect(readdirSync(jsonDir())).toEqual(['.tandem']);
  const { rows } = await database.pool.query(
    `SELECT reason, details::jsonb->'collections'->'expense'->>'entries' AS entries
       FROM audit_log WHERE action = 'archive-json'`,
  );
  expect(rows).toEqual([{ reason: 'Phase 5 is stable', entries: '3' }]);
  const checked = await archive('--check', archiveFile());
  expect(checked).toMatchObject({
    exitCode: 0,
    told: expect.stringContaining('The archive is whole'),
  });
  const status = JSON.parse((await tandem('postgres-only', ['status', '--json'])).told);
  expect(status.json.archived).toMatchObject({ file: archiveFile() });
  expect((await tandem('postgres-only', ['status'])).told).toMatch(/json .*\| archived 20/);
  expect(await archive(...REASON)).toMatchObject({
    exitCode: 3,
    told: expect.stringContaining('was archived at'),
  });
  expect(existsSync(`${archiveFile()}.part`)).toBe(false);

  // Unpacked it is a JSON store again, and follows from where it was left.
  const unpacked = join(dataDir, 'unpacked');
  mkdirSync(unpacked);
  execFileSync('tar', ['-xzf', archiveFile(), '-C', unpacked]);
  expect(recordsIn(unpacked)).toEqual(LEGACY);
  await database.pool.query(
    `UPDATE expenses SET version = version + 1, notes = 'Phase 5' WHERE id = 2`,
  );
  const now = LEGACY.map((one) => (one.id === 2 ? { ...one, notes: 'Phase 5' } : one));
  const copy = join(dataDir, 'copy');
  cpSync(unpacked, copy, { recursive: true });
  await walkTo('json-primary', copy);
  expect(recordsIn(copy)).toEqual(now);
  await walkTo('postgres-only', copy);

  // So does the emptied one; the ids given before the archive are not given again (I9).
  await walkTo('postgres-primary');
  await walkTo('json-primary');
  expect(recordsIn(jsonDir())).toEqual(now);
  const back = JSON.parse((await tandem('json-primary', ['status', '--json'])).told);
  expect(back).toMatchObject({ effective: 'json-primary', json: { archived: null } });
}, 120_000);

test('it is refused outside of postgres-only, and while anything is unsettled; nothing is touched', async () => {
  const refusedFor = async (sentence: string, phase: PhaseName = 'postgres-only') => {
    for (const how of [['--dry-run'], REASON]) {
      const args = ['archive-json', '--to', archiveFile(), ...how];
      expect(await tandem(phase, args)).toMatchObject({
        exitCode: 3,
        told: expect.stringContaining(sentence),
      });
    }
    expect(existsSync(archiveFile())).toBe(false);
  };
  await walkTo('postgres-primary');
  await refusedFor('the phase is postgres-primary', 'postgres-primary');
  await walkTo('postgres-only');
  await refusedFor('the flags ask for postgres-primary', 'postgres-primary');

  const found = await database.pool.query(
    `INSERT INTO divergences (subject, collection, record_id, class, kind, found_by, secondary, first_seen, last_seen)
     VALUES ('expense 1', 'expense', 1, 'fork', 'different', 'apply', 'json', now(), now()) RETURNING id`,
  );
  await refusedFor('1 forks or conflicts wait for a decision');
  await database.pool.query('DELETE FROM divergences WHERE id = $1', [found.rows[0].id]);

  const queues = createQueueClient({ pool: database.pool, role: 'enqueue', log: silentLog });
  const boss = await queues.ready();
  await boss.send('write-to-json-dead', {});
  await refusedFor('1 dead letters are there');
  await boss.deleteAllJobs('write-to-json-dead');
  await queues.stop();

  writeFileSync(join(jsonDir(), 'expenses.json'), JSON.stringify(LEGACY.slice(1)));
  expect(await archive(...REASON)).toMatchObject({
    exitCode: 3,
    told: expect.stringContaining('1 external edits wait for a decision'),
  });
  const edits = JSON.parse(
    (await tandem('postgres-only', ['external-edits', 'list', '--json'])).told,
  );
  await tandem('postgres-only', ['external-edits', 'reject', edits[0].name, ...REASON]);

  expect(recordsIn(jsonDir())).toEqual(LEGACY);
  expect(await archive(...REASON)).toMatchObject({ exitCode: 0 });
  truncateSync(archiveFile(), 1_000);
  expect(await archive('--check', archiveFile())).toMatchObject({
    exitCode: 1,
    told: expect.stringContaining('is not a whole archive'),
  });
}, 120_000);
