import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type JsonStore, openJsonStore } from '../json/index.ts';
import { createPool, relayCursor } from '../postgres/index.ts';
import { recordingLog } from '../testing/recording-log.ts';
import {
  createReplicationFixture,
  type ReplicationFixture,
} from '../testing/replication-fixture.ts';
import { create } from '../testing/store-fixture.ts';
import { startTcpProxy } from '../testing/tcp-proxy.ts';
import { until } from '../testing/until.ts';
import { createQueueClient } from './boss.ts';
import { createJobSink } from './boss-job-sink.ts';
import { QUEUES } from './job-sink.ts';
import { type Relay, type RelayOptions, startRelay } from './relay.ts';

const PROCESS = fileURLToPath(new URL('../testing/relay-process.ts', import.meta.url));
const BACKOFF = { minMs: 10, maxMs: 50 };

let fixture: ReplicationFixture;
let home: string;
let store: JsonStore;
let relay: Relay | undefined;

beforeAll(async () => {
  fixture = await createReplicationFixture();
});
afterAll(() => fixture.drop());
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'tandem-relay-'));
  await fixture.clear();
  await openStore();
});
afterEach(async () => {
  await relay?.stop({ drainTimeoutMs: 0 });
  relay = undefined;
  await store.close();
  rmSync(home, { recursive: true, force: true });
});

async function openStore(): Promise<void> {
  store = await openJsonStore({ directory: home, collections: fixture.collections });
  const { phase, epoch } = store.phase.read();
  if (phase === 'json-only') {
    await store.phase.update({ phase: 'json-primary', epoch: epoch + 1 });
  }
}

function startedRelay(options: Partial<RelayOptions> = {}) {
  const log = recordingLog();
  const { pool, queues } = fixture;
  const started = startRelay({
    ...{ outbox: store.outbox, pool, cursor: relayCursor, log, backoff: BACKOFF },
    pairId: store.phase.read().pairId,
    jobs: createJobSink({ queues, queue: QUEUES.postgres }),
    ...options,
  });
  relay = started;
  return { relay: started, log };
}

/** A relay whose connections run through a proxy that the test can break. */
async function proxiedRelay(options: Partial<RelayOptions> = {}) {
  const proxy = await startTcpProxy(fixture.url);
  const pool = createPool(proxy.url, { applicationName: 'proxied relay' });
  const queues = createQueueClient({ pool, role: 'enqueue', log: recordingLog() });
  const jobs = createJobSink({ queues, queue: QUEUES.postgres });
  const end = async () => {
    await relay?.stop({ drainTimeoutMs: 0 });
    await queues.stop();
    await pool.end();
    await proxy.close();
  };
  return { proxy, end, ...startedRelay({ pool, jobs, ...options }) };
}

/** How often each expense id was queued. */
async function queuedIds(): Promise<Map<number, number>> {
  const { rows } = await fixture.pool.query(
    `SELECT (data->'change'->>'id')::int AS id, count(*)::int AS jobs FROM pgboss.job
     WHERE name = $1 GROUP BY 1`,
    [QUEUES.postgres],
  );
  return new Map(rows.map(({ id, jobs }) => [id, jobs]));
}

const onceEach = (ids: Iterable<number>) => new Map([...ids].map((id) => [id, 1]));

async function writeMany(count: number): Promise<number[]> {
  const written = await Promise.all(Array.from({ length: count }, () => create(store)));
  return written.map(({ id }) => id);
}

const relayed = (started: Relay) =>
  until('all is relayed', () => started.status().pending === 0 && started.status().cursor);

test('I2: every write is queued exactly once, in batches, before and after a restart', async () => {
  const ids = await writeMany(120);
  const first = startedRelay({ batchItemsMax: 50 });
  ids.push(...(await writeMany(30)));
  await relayed(first.relay);
  expect(await first.relay.stop({ drainTimeoutMs: 1_000 })).toMatchObject({ pending: 0 });
  await store.close();
  await openStore();
  ids.push(...(await writeMany(10)));
  const second = startedRelay();
  await relayed(second.relay);
  expect(await queuedIds()).toEqual(onceEach(ids));
  expect(second.relay.status()).toMatchObject({ state: 'waiting', cursor: store.outbox.head() });
});

test('I5: with PostgreSQL down from the start only what the queue may lack counts as pending', async () => {
  await writeMany(20);
  const first = startedRelay();
  await relayed(first.relay);
  await first.relay.stop({ drainTimeoutMs: 1_000 });
  await store.close();
  await openStore();
  await writeMany(3);
  const { proxy, relay: second, end } = await proxiedRelay();
  await proxy.close();
  await until('it is down', () => second.status().state === 'down');
  expect(second.status()).toMatchObject({ cursor: undefined, pending: 3 });
  await end();
});

test('a stop drains what was written before it', async () => {
  const { relay: started } = startedRelay({ batchItemsMax: 5 });
  const ids = await writeMany(60);
  expect(await started.stop({ drainTimeoutMs: 30_000 })).toMatchObject({
    state: 'stopped',
    pending: 0,
  });
  expect(await queuedIds()).toEqual(onceEach(ids));
});

test.each([false, true])(
  'I2: a connection cut at COMMIT (delivered: %s) neither loses nor repeats',
  async (delivered) => {
    const { relay: started, proxy, end } = await proxiedRelay({ batchItemsMax: 10 });
    await until('it waits', () => started.status().state === 'waiting');
    const cut = proxy.cutAt('COMMIT', { delivered });
    const ids = await writeMany(35);
    await cut;
    await relayed(started);
    expect(await queuedIds()).toEqual(onceEach(ids));
    await end();
  },
);

test('I5: without PostgreSQL writes go on; one WARN, then one INFO when it is back', async () => {
  const { relay: started, proxy, log, end } = await proxiedRelay();
  await until('it waits', () => started.status().state === 'waiting');
  proxy.refuse();
  proxy.reset();
  const ids = await writeMany(20);
  await until('it is down', () => started.status().state === 'down');
  const status = started.status();
  ids.push(...(await writeMany(20)));
  expect(started.status()).toMatchObject({ state: 'down', downSince: status.downSince });
  expect(started.status().pending).toBe(40);
  proxy.accept();
  await relayed(started);
  expect(await queuedIds()).toEqual(onceEach(ids));
  expect(log.sentences('warn')).toHaveLength(1);
  expect(log.sentences('warn')[0]).toMatch(/can't take changes since .* wait in the journal/);
  expect(log.sentences('info')).toEqual([expect.stringMatching(/takes changes again/)]);
  await end();
});

test('a stop while PostgreSQL is away keeps everything in the journal and says so', async () => {
  const { relay: started, proxy, log, end } = await proxiedRelay();
  proxy.refuse();
  proxy.reset();
  const ids = await writeMany(5);
  await until('it is down', () => started.status().state === 'down');
  expect(await started.stop({ drainTimeoutMs: 60_000 })).toMatchObject({ pending: 5 });
  expect(log.sentences('warn').at(-1)).toBe('Relay: stopped with 5 changes waiting in the journal');
  await end();
  await relayed(startedRelay().relay);
  expect(await queuedIds()).toEqual(onceEach(ids));
});

test('a server that falls silent holds up nobody’s stop', async () => {
  const { relay: started, proxy, end } = await proxiedRelay();
  await until('it waits', () => started.status().state === 'waiting');
  proxy.stall();
  await writeMany(1);
  await until('it relays', () => proxy.connections > 0);
  expect(await started.stop({ drainTimeoutMs: 200 })).toMatchObject({ pending: 1 });
  proxy.resume();
  await end();
});

test('what must be done before relaying is done after every connection, and tried again', async () => {
  let attempts = 0;
  const { relay: started } = startedRelay({
    beforeRelay: async () => {
      attempts += 1;
      if (attempts < 3) throw new Error('not yet');
      expect(await queuedIds()).toEqual(new Map());
    },
  });
  const ids = await writeMany(3);
  await relayed(started);
  expect(attempts).toBe(3);
  expect(await queuedIds()).toEqual(onceEach(ids));
});

test('I2: a cursor that vanished under an idle relay is noticed, and everything is in the queue again', async () => {
  const ids = await writeMany(4);
  const { relay: started } = startedRelay({ idleLookMs: 50 });
  await relayed(started);
  await fixture.pool.query('DELETE FROM relay_cursor; DELETE FROM pgboss.job');
  await until('it looked again', async () => (await queuedIds()).size === ids.length);
  expect(await queuedIds()).toEqual(onceEach(ids));
});

test('I12: a journal that ends before the cursor is not relayed past it', async () => {
  await writeMany(4);
  await relayed(startedRelay().relay);
  await relay?.stop({ drainTimeoutMs: 0 });
  await fixture.pool.query('UPDATE relay_cursor SET seq = seq + 10');
  const { relay: started } = startedRelay();
  await until('it is down', () => started.status().state === 'down');
  expect(started.status().lastError).toMatch(/restored from an older copy/);
});

test('I2: an api killed with -9 again and again queues every acknowledged write exactly once', async () => {
  await store.close();
  const acknowledged = new Set<number>();
  for (const acks of [40, 90, 60, 120]) await killedAfter(acks, acknowledged);
  await openStore();
  await relayed(startedRelay().relay);
  const queued = await queuedIds();
  expect([...queued.values()].every((jobs) => jobs === 1)).toBe(true);
  expect([...acknowledged].filter((id) => !queued.has(id))).toEqual([]);
});

/** Lets a process write and relay, and kills it once it has acknowledged that many writes. */
async function killedAfter(acks: number, acknowledged: Set<number>): Promise<void> {
  const child: ChildProcess = spawn(process.execPath, [PROCESS], {
    env: { ...process.env, DATABASE_URL: fixture.url, JSON_DIR: home },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    if (text.split('\n').length > acks) child.kill('SIGKILL');
  });
  await once(child, 'close');
  // The last line may be torn.
  for (const line of text.split('\n').slice(0, -1)) acknowledged.add(Number(line));
  expect(acknowledged.size).toBeGreaterThan(0);
}
