import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog } from '../log.ts';
import {
  chainOf,
  createReplicationFixture,
  type ReplicationFixture,
} from '../testing/replication-fixture.ts';
import { allEntries } from '../testing/store-fixture.ts';
import { readBacklog } from './backlog.ts';
import { startDirection } from './direction-worker.ts';

const PROCESS = fileURLToPath(new URL('../testing/direction-process.ts', import.meta.url));
const RECORDS = 1_500;
const VERSIONS = 2;

let fixture: ReplicationFixture;
beforeAll(async () => {
  fixture = await createReplicationFixture();
});
afterAll(() => fixture.drop());

/** Starts a worker process and kills it while it applies its `batches`-th batch. */
async function killedInBatch(batches: number): Promise<void> {
  const child = spawn(process.execPath, [PROCESS], {
    env: { ...process.env, DATABASE_URL: fixture.url },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  let seen = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString().split('\n').length - 1;
    if (seen >= batches) child.kill('SIGKILL');
  });
  await ended;
  expect(seen).toBeGreaterThanOrEqual(batches);
}

test('I2: workers killed with -9 in the middle of a batch lose nothing and dead-letter nothing', async () => {
  const changes = Array.from({ length: RECORDS }, (_, n) => chainOf(n + 1, VERSIONS)).flat();
  await fixture.enqueue('postgres', changes);
  for (const batches of [1, 3, 2]) await killedInBatch(batches);
  const held = await readBacklog(fixture.pool);
  expect(held.total).toBeGreaterThan(0);
  const { store, queues, collections } = fixture;
  const survivor = startDirection({
    direction: 'postgres',
    ...{ store, queues, collections, log: silentLog },
  });
  await fixture.drained('postgres');
  await survivor.stop({ drainTimeoutMs: 0 });
  const entries = await allEntries(store);
  expect(entries.map(({ id, version }) => [id, version])).toEqual(
    Array.from({ length: RECORDS }, (_, n) => [n + 1, VERSIONS]),
  );
  expect(await readBacklog(fixture.pool)).toMatchObject({ total: 0, deadLetters: 0 });
});
