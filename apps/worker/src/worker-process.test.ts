import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readConfiguration } from '@tandem/storage/configuration';
import { silentLog } from '@tandem/storage/log';
import { noObserver } from '@tandem/storage/observer';
import { flagsOf } from '@tandem/storage/phase';
import { writePhaseFlags } from '@tandem/storage/postgres';
import { chainOf, createReplicationFixture, until } from '@tandem/storage/testing';
import { expect, onTestFinished, test } from 'vitest';
import { WorkerProcess } from './worker-process.ts';

const MOVE = { actor: 'test', reason: 'test', evidence: {} };

/** A worker, not started yet, of a database in `postgres-only`, as its flags ask for. */
async function inPostgresOnly() {
  const home = mkdtempSync(join(tmpdir(), 'tandem-worker-'));
  const fixture = await createReplicationFixture();
  const { pool, store, collections, url } = fixture;
  await writePhaseFlags(pool, flagsOf('postgres-only'));
  await store.phase.advance(0, { pairId: 'a-pair', epoch: 1, phase: 'postgres-only' }, MOVE);
  const configuration = readConfiguration({ DATA_DIR: home, DATABASE_URL: url });
  const options = { configuration, collections, log: silentLog, observer: noObserver };
  const worker = new WorkerProcess(options);
  onTestFinished(async () => {
    await worker.stop({ drainTimeoutMs: 0 });
    await fixture.drop();
    rmSync(home, { recursive: true, force: true });
  });
  return { fixture, worker };
}

test('a backlog that the end of dual write left is gone without a start of the api', async () => {
  const { fixture, worker } = await inPostgresOnly();
  await fixture.enqueue('json', chainOf(1, 3));
  worker.start();
  await until('it has looked', async () => (await worker.report()).phase !== undefined);
  await until('nothing waits', async () => (await worker.report()).backlog?.total === 0);
  expect((await worker.report()).json.state).toBe('off');
});

test('started while the flags can not be read, it takes them for nothing, and the phase stays', async () => {
  const { fixture, worker } = await inPostgresOnly();
  await fixture.pool.query('ALTER TABLE feature_flags RENAME TO away');
  worker.start();
  await until('it has looked', async () => (await worker.report()).phase !== undefined);
  expect((await worker.report()).json.state).toBe('off');
});
