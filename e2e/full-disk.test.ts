// A real api on a disk of 4 MiB: it fills up, under writes, at a stop, at a start, and under kill -9.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestDatabase } from '@tandem/storage/testing';
import { expect, onTestFinished, test, vi } from 'vitest';
import { AcknowledgedWrites } from './acknowledged-writes.ts';
import { startApi } from './services.ts';
import { canHaveSmallDisk, startSmallDisk } from './small-disk.ts';
import { temporaryFolder } from './tandem-process.ts';

const WAIT = { timeout: 30_000, interval: 50 };

interface Readiness {
  readonly status: string;
  readonly dependencies?: Record<string, { status: string; detail?: string }>;
}

const readiness = async (origin: string): Promise<Readiness & { code: number }> => {
  const answer = await fetch(`${origin}/readyz`);
  return { code: answer.status, ...((await answer.json()) as Readiness) };
};

const isReady = (origin: string) =>
  vi.waitUntil(async () => (await readiness(origin)).status === 'ok', WAIT);

test.skipIf(!canHaveSmallDisk())(
  'I7, I11: a full disk refuses writes, serves reads, is told, and ends by itself; nothing is lost',
  async () => {
    const disk = await startSmallDisk('4m');
    const jsonDir = join(disk.folder, 'json');
    const database = await createTestDatabase();
    onTestFinished(() => database.drop());
    const variables = {
      ...{ DATABASE_URL: database.url, DATA_DIR: temporaryFolder() },
      ...{ JSON_DIR: jsonDir, FF_USE_DATABASE_STORAGE: 'false', FF_DUAL_WRITE_ENABLED: 'false' },
    };
    const start = () => startApi(variables, disk.enter);
    const writes = new AcknowledgedWrites();

    let api = await start();
    await isReady(api.origin);
    await writes.create(api.origin);
    disk.fill();
    await writes.createUntil(api.origin, 507);
    await writes.areServed(api.origin);
    expect(await readiness(api.origin)).toMatchObject({
      ...{ code: 200, status: 'degraded' },
      dependencies: {
        json: { status: 'degraded', detail: expect.stringMatching(/^Since 20.* is full: .*507/) },
      },
    });
    // Also whoever asks the database who runs is told: the status, and the console.
    await vi.waitUntil(async () => {
      const { rows } = await database.pool.query<{ waiting_for: string | null }>(
        'SELECT waiting_for FROM processes',
      );
      return rows.some(({ waiting_for: what }) => /^the disk .* is full/.test(what ?? ''));
    }, WAIT);
    disk.makeRoom();
    // Nobody writes meanwhile.
    await isReady(api.origin);
    expect((await writes.create(api.origin)).status).toBe(200);

    disk.fill();
    await writes.createUntil(api.origin, 507);
    // The files can't be brought up: the stop says so, and the journal has it all.
    expect(await api.stop()).toBe(1);
    expect(api.output()).toMatch(/Stopped, but not cleanly: .* is full/);

    api = await start();
    await vi.waitUntil(async () => {
      const { status, dependencies } = await readiness(api.origin);
      return status === 'unready' && /is full/.test(dependencies?.primary?.detail ?? '');
    }, WAIT);
    disk.makeRoom();
    await isReady(api.origin);
    await writes.areServed(api.origin);

    disk.fill();
    await writes.createUntil(api.origin, 507);
    process.kill(api.pid, 'SIGKILL');
    await api.ended;
    disk.makeRoom();
    api = await start();
    await isReady(api.origin);
    await writes.areServed(api.origin);
    expect((await writes.create(api.origin)).status).toBe(200);
    expect(await api.stop()).toBe(0);
    const file = disk.seen(join(jsonDir, 'expenses.json'));
    writes.areAmong(JSON.parse(readFileSync(file, 'utf8')));
  },
  120_000,
);
