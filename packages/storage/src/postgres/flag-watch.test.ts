import { performance } from 'node:perf_hooks';
import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { FLAGS_SETTLE_MS, flagsOf, type Phase } from '../phase/index.ts';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { type RecordingLog, recordingLog } from '../testing/recording-log.ts';
import { startTcpProxy, type TcpProxy } from '../testing/tcp-proxy.ts';
import { until } from '../testing/until.ts';
import { createPool, FlagWatch, type FlagWatchOptions, writePhaseFlags } from './index.ts';

// Flags are written directly; the watch reaches the server through a proxy that breaks.
let database: TestDatabase;
let proxy: TcpProxy;
let pool: Pool;
let log: RecordingLog;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  await database.pool.query('TRUNCATE feature_flags');
  proxy = await startTcpProxy(database.url);
  pool = createPool(proxy.url, { applicationName: 'watching' });
  log = recordingLog();
});
afterEach(async () => {
  await pool.end();
  await proxy.close();
});

async function watching(options: Partial<FlagWatchOptions> = {}) {
  const watch = new FlagWatch({ pool, lockedFlags: {}, lastKnown: () => null, log, ...options });
  const desired: Phase[] = [];
  watch.onDesired((flags) => desired.push(flags.desired));
  await watch.start();
  onTestFinished(() => watch.stop());
  return { watch, desired };
}

const set = (phase: Phase) => writePhaseFlags(database.pool, flagsOf(phase));
const type = (name: string, enabled: boolean) =>
  database.pool.query(
    `INSERT INTO feature_flags (name, enabled) VALUES ($1, $2)
     ON CONFLICT (name, user_id) DO UPDATE SET enabled = excluded.enabled`,
    [name, enabled],
  );
const listeners = async () =>
  (
    await database.pool.query(
      `SELECT pid FROM pg_stat_activity WHERE datname = $1 AND query = 'LISTEN tandem_flags'`,
      [database.name],
    )
  ).rows.length;

test('the first look counts at once; a change counts after it has stood, not before', async () => {
  await set('json-primary');
  const { watch, desired } = await watching();
  expect(watch.current()).toMatchObject({
    desired: 'json-primary',
    flags: { DUAL_WRITE_ENABLED: { value: true, source: 'table' } },
  });
  const changedAt = performance.now();
  await set('postgres-primary');
  await until('the change counts', () => watch.current().desired === 'postgres-primary');
  expect(performance.now() - changedAt).toBeGreaterThanOrEqual(FLAGS_SETTLE_MS);
  expect(desired).toEqual(['json-primary', 'postgres-primary']);
  expect(watch.tableFlags()).toEqual(flagsOf('postgres-primary'));
});

test('two flags typed one after the other are one change', async () => {
  const { desired } = await watching();
  await type('USE_DATABASE_STORAGE', true);
  await type('DUAL_WRITE_ENABLED', true);
  await until('the change counts', () => desired.length > 1);
  expect(desired).toEqual(['json-only', 'postgres-primary']);
});

test('a change is heard of by its notification alone', async () => {
  const { watch } = await watching({ pollIntervalMs: 3_600_000 });
  await until('it listens', async () => (await listeners()) === 1);
  await set('json-primary');
  await until('the change counts', () => watch.current().desired === 'json-primary');
});

test('every statement that changes flags notifies once, also DELETE and TRUNCATE', async () => {
  const notified: number[] = [];
  const client = await database.pool.connect();
  client.on('notification', () => notified.push(notified.length));
  try {
    await client.query('LISTEN tandem_flags');
    const statements = [
      `INSERT INTO feature_flags (name, enabled) VALUES ('DUAL_WRITE_ENABLED', true)`,
      `UPDATE feature_flags SET enabled = false`,
      `DELETE FROM feature_flags`,
      'TRUNCATE feature_flags',
    ];
    for (const [index, statement] of statements.entries()) {
      await database.pool.query(statement);
      await until(statement, () => notified.length === index + 1);
    }
    // Both flags in one transaction are one notification.
    await set('postgres-primary');
    await until('both are told', () => notified.length > statements.length);
    expect(notified).toHaveLength(statements.length + 1);
  } finally {
    await client.query('UNLISTEN tandem_flags');
    client.release(true);
  }
});

test('where no notification arrives, looking finds the change', async () => {
  const { watch } = await watching();
  await database.pool.query('ALTER TABLE feature_flags DISABLE TRIGGER feature_flags_say_changed');
  onTestFinished(async () => {
    await database.pool.query('ALTER TABLE feature_flags ENABLE TRIGGER feature_flags_say_changed');
  });
  await set('json-primary');
  await until('it was found', () => watch.current().desired === 'json-primary');
});

test('PostgreSQL away and back: the last values stand, said once, and changes are heard again', async () => {
  await set('json-primary');
  const { watch, desired } = await watching();
  await until('it listens', async () => (await listeners()) === 1);
  proxy.refuse();
  proxy.reset();
  const flag = () => watch.current().flags.DUAL_WRITE_ENABLED;
  await until('the loss is seen', () => flag().source === 'last-known');
  expect(flag().value).toBe(true);
  expect(flag().reason).toMatch(/^feature_flags can't be read: .+ The last value stands\.$/);
  await set('postgres-primary');
  // Two more looks that fail say nothing.
  await until('it was tried again', () => log.sentences('debug').length > 0);
  expect(watch.current().desired).toBe('json-primary');
  proxy.accept();
  await until('the change counts', () => watch.current().desired === 'postgres-primary');
  expect(desired).toEqual(['json-primary', 'postgres-primary']);
  expect(log.sentences('warn')).toHaveLength(1);
  expect(log.sentences('info')).toEqual([
    expect.stringMatching(/^feature_flags can be read again, it could not since /),
  ]);
  await until('it listens again', async () => (await listeners()) === 1);
});

test('a server that falls silent is one that can not be read', async () => {
  await set('json-primary');
  const { watch } = await watching();
  proxy.stall();
  await until('the silence is seen', () => log.sentences('warn').length > 0);
  expect(watch.current()).toMatchObject({
    desired: 'json-primary',
    flags: { DUAL_WRITE_ENABLED: { source: 'last-known' } },
  });
  proxy.resume();
  await until('it is read again', () => log.sentences('info').length > 0);
});

test('a start without PostgreSQL takes what was known before, and the environment first', async () => {
  proxy.refuse();
  await set('json-only');
  const { watch } = await watching({
    lockedFlags: { DUAL_WRITE_ENABLED: true },
    lastKnown: () => flagsOf('postgres-only'),
  });
  expect(watch.current()).toMatchObject({
    desired: 'postgres-primary',
    flags: {
      USE_DATABASE_STORAGE: { value: true, source: 'last-known' },
      DUAL_WRITE_ENABLED: { value: true, source: 'environment' },
    },
  });
  expect(watch.tableFlags()).toBeNull();
  proxy.accept();
  await until('the table counts', () => watch.current().desired === 'json-primary');
});

test('stopping ends the watch while the server is silent, and is idempotent', async () => {
  const { watch, desired } = await watching();
  proxy.stall();
  await set('postgres-only');
  await watch.stop();
  await watch.stop();
  proxy.resume();
  expect(desired).toEqual(['json-only']);
});
