import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedServer, startEmbeddedPostgres } from '@tandem/embedded-postgres';
import type { Pool } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadCollections } from '../collections/index.ts';
import { silentLog } from '../log.ts';
import { createPool, migrateSchema, openPostgresStore } from '../postgres/index.ts';
import { recordingLog } from '../testing/recording-log.ts';
import { chainOf } from '../testing/replication-fixture.ts';
import { allEntries } from '../testing/store-fixture.ts';
import { until } from '../testing/until.ts';
import { readBacklog } from './backlog.ts';
import { createQueueClient, migrateQueues, type QueueClient } from './boss.ts';
import { createJobSink } from './boss-job-sink.ts';
import { startDirection } from './direction-worker.ts';
import { QUEUES } from './job-sink.ts';
import { inTransaction } from './transaction.ts';

let home: string;
let server: EmbeddedServer;
let pool: Pool;
let queues: QueueClient;

const start = () => startEmbeddedPostgres({ folder: join(home, 'postgres') });

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'tandem-outage-'));
  server = await start();
  pool = createPool(server.url, { applicationName: 'outage test' });
  queues = createQueueClient({ pool, role: 'work', log: silentLog });
});
afterEach(async () => {
  await queues.stop();
  await pool.end();
  await server.stop();
  rmSync(home, { recursive: true, force: true });
});

test('a queue that is not migrated yet says so, and is usable as soon as it is', async () => {
  await expect(queues.ready()).rejects.toMatchObject({
    code: 'unavailable',
    message: expect.stringContaining('tandem migrate'),
  });
  await migrateQueues(pool, silentLog);
  await queues.ready();
});

test('I2, I5: PostgreSQL stopped and started under a working direction uses up nothing', async () => {
  await migrateSchema(pool);
  await migrateQueues(pool, silentLog);
  const collections = await loadCollections();
  const store = openPostgresStore({
    ...{ pool, collections, jobs: createJobSink({ queues, queue: QUEUES.json }) },
  });
  const sink = createJobSink({ queues, queue: QUEUES.postgres });
  const changes = Array.from({ length: 3_000 }, (_, n) => chainOf(n + 1, 1)).flat();
  await inTransaction(pool, { timeoutMs: 30_000 }, (client) =>
    sink.insert(
      client,
      changes.map((change) => ({ kind: 'change', change })),
    ),
  );
  const log = recordingLog();
  const worker = startDirection({
    ...{ direction: 'postgres', store, queues, collections, log },
    ...{ batchJobsMax: 20, probe: { minMs: 20, maxMs: 100 } },
  });
  await until('it works', () => worker.status().settled > 0);
  await server.stop();
  await until('it is paused', () => worker.status().state === 'paused');
  server = await start();
  await until('all is applied', async () => (await readBacklog(pool)).total === 0);
  await worker.stop({ drainTimeoutMs: 0 });
  expect(await allEntries(store)).toHaveLength(3_000);
  expect((await readBacklog(pool)).deadLetters).toBe(0);
  expect(log.sentences('warn').filter((sentence) => /paused since/.test(sentence))).toHaveLength(1);
  expect(log.sentences('info').filter((sentence) => /resumed/.test(sentence))).toHaveLength(1);
  await store.close();
});
