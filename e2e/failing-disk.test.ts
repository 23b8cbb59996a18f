// A real api whose syncs fail: strace answers fdatasync and fsync with EIO in the kernel's place.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createTestDatabase } from '@tandem/storage/testing';
import { expect, onTestFinished, test, vi } from 'vitest';
import { AcknowledgedWrites } from './acknowledged-writes.ts';
import { legacyFile } from './record-client.ts';
import { startApi } from './services.ts';
import { environmentWith, startProcess, temporaryFolder } from './tandem-process.ts';

const WAIT = { timeout: 30_000, interval: 50 };
const INJECT = ['-e', 'trace=fdatasync,fsync', '-e', 'inject=fdatasync,fsync:error=EIO'];

/** Whether processes may be traced here. */
const canTrace = spawnSync('strace', ['-f', ...INJECT, 'true']).status === 0;

test.skipIf(!canTrace)(
  'I1, I11: while syncs fail nothing is acknowledged and reads go on; then it serves again by itself',
  async () => {
    const dataDir = temporaryFolder();
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const variables = {
      ...{ DATABASE_URL: database.url, DATA_DIR: dataDir },
      ...{ FF_USE_DATABASE_STORAGE: 'false', FF_DUAL_WRITE_ENABLED: 'false' },
    };
    const writes = new AcknowledgedWrites();
    let api = await startApi(variables);
    await vi.waitUntil(async () => (await writes.create(api.origin)).status === 200, WAIT);
    await writes.create(api.origin);

    const strace = startProcess(
      ['strace', '-f', '-p', String(api.pid), ...INJECT],
      environmentWith({}),
    );
    await strace.prints(/attached/);
    const { size } = writes.acknowledged;
    expect(await writes.create(api.origin)).toMatchObject({
      ...{ status: 503, body: { type: '/problems/outcome-unknown' } },
    });
    expect((await writes.create(api.origin)).status).toBe(503);
    expect(writes.acknowledged.size).toBe(size);
    await writes.areServed(api.origin);
    const ready = await (await fetch(`${api.origin}/readyz`)).json();
    expect(ready).toMatchObject({
      ...{ ready: true, status: 'degraded' },
      dependencies: { json: { status: 'degraded', detail: expect.stringContaining('EIO') } },
    });
    process.kill(strace.pid, 'SIGINT');
    await strace.ended;
    expect(strace.output()).toContain('(INJECTED)');

    await vi.waitUntil(async () => (await writes.create(api.origin)).status === 200, WAIT);
    await writes.areServed(api.origin);
    process.kill(api.pid, 'SIGKILL');
    await api.ended;
    api = await startApi(variables);
    await vi.waitUntil(async () => (await writes.create(api.origin)).status === 200, WAIT);
    await writes.areServed(api.origin);
    expect(await api.stop()).toBe(0);
    writes.areAmong(legacyFile(join(dataDir, 'json'), 'expenses.json'));
  },
);
