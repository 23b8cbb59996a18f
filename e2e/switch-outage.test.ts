// PostgreSQL stopped in the middle of a switch.
import { join } from 'node:path';
import { type EmbeddedServer, startEmbeddedPostgres } from '@tandem/embedded-postgres';
import type { Failpoint, Phase } from '@tandem/storage/phase';
import { expect, onTestFinished, test, vi } from 'vitest';
import { type Load, moreWrites, startLoad } from './load.ts';
import { phaseAt, reach, reached, setFlags } from './phase-flags.ts';
import { EXPENSE_ROWS, legacyFile, query } from './record-client.ts';
import { startTandem, type Tandem, temporaryFolder } from './tandem-process.ts';

const WRITERS = 6;
const WRITES_BETWEEN = 60;
/** Long enough for flags to settle and PostgreSQL to be stopped; shorter than the pause may take. */
const HELD_AT_FAILPOINT_MS = 4_000;

interface Scene {
  readonly tandem: Tandem;
  readonly origin: string;
  readonly load: Load;
  readonly jsonDir: string;
  readonly url: string;
  stopPostgres(): Promise<void>;
  startPostgres(): Promise<void>;
}

/** A system under load whose PostgreSQL is the test's own; a process stays at the failpoint a while. */
async function startScene(failpoint: Failpoint): Promise<Scene> {
  const home = temporaryFolder();
  const options = { folder: join(home, 'postgres'), settings: { fsync: 'off' } };
  let server: EmbeddedServer = await startEmbeddedPostgres(options);
  onTestFinished(() => server.stop());
  const { url } = server;
  const dataDir = join(home, 'data');
  const tandem = startTandem({
    DATA_DIR: dataDir,
    DATABASE_URL: url,
    TANDEM_FAILPOINT: `${failpoint}:${HELD_AT_FAILPOINT_MS}`,
  });
  const origin = await tandem.ready();
  const load = startLoad(origin, WRITERS);
  return {
    ...{ tandem, origin, load, url },
    jsonDir: join(dataDir, 'json'),
    stopPostgres: () => server.stop(),
    async startPostgres() {
      server = await startEmbeddedPostgres(options);
      expect(server.url).toBe(url);
    },
  };
}

/** Both stores equal after a clean stop, with everything that was acknowledged, and no dead letter. */
async function endEqual({ tandem, load, url, jsonDir }: Scene): Promise<void> {
  await load.stop();
  expect(await tandem.interrupt(), tandem.output()).toBe(0);
  const file = legacyFile(jsonDir, 'expenses.json');
  expect(await query(url, EXPENSE_ROWS), tandem.output()).toEqual(file);
  const stored = new Map(file.map((expense) => [expense.id, expense]));
  for (const [id, expense] of load.acknowledged) {
    expect(stored.get(id) ?? null, tandem.output()).toEqual(expense);
  }
  expect(load.repeatedIds).toEqual([]);
  expect(await query(url, `SELECT * FROM pgboss.job WHERE name LIKE '%-dead'`)).toEqual([]);
}

/** A log to read: without what each single request was told. */
const withoutRequests = (output: string): string =>
  output
    .split('\n')
    .filter((line) => !line.includes('"reqId"'))
    .join('\n');

async function during(scene: Scene, what: () => Promise<void>): Promise<void> {
  try {
    await what();
  } catch (error) {
    throw new Error(`${error}\n${withoutRequests(scene.tandem.output())}`);
  }
}

const arrive = async (scene: Scene, failpoint: Failpoint, from: Phase, to: Phase) => {
  await reach(scene.url, scene.origin, from);
  await moreWrites(scene.load, WRITES_BETWEEN);
  await setFlags(scene.url, to);
  await scene.tandem.prints(`Failpoint ${failpoint} reached.`);
};

test('I5: once JSON has committed the way back, it is served although PostgreSQL is gone', async () => {
  const failpoint = 'demote.json-committed';
  const scene = await startScene(failpoint);
  await during(scene, async () => {
    await arrive(scene, failpoint, 'postgres-primary', 'json-primary');
    await scene.stopPostgres();
    await reached(scene.origin, 'json-primary');
    await moreWrites(scene.load, WRITES_BETWEEN);
    await scene.startPostgres();
    await scene.tandem.prints('PostgreSQL is told the phase that the JSON store is in.');
  });
  await endEqual(scene);
}, 120_000);

test('I6: a seal that could not be lifted when PostgreSQL went is lifted when it is back, also when the flags changed their mind', async () => {
  const failpoint = 'demote.sealed';
  const scene = await startScene(failpoint);
  await during(scene, async () => {
    await arrive(scene, failpoint, 'postgres-primary', 'json-primary');
    await setFlags(scene.url, 'postgres-primary');
    await vi.waitUntil(async () => (await phaseAt(scene.origin))?.desired === 'postgres-primary', {
      timeout: HELD_AT_FAILPOINT_MS,
      interval: 20,
    });
    await scene.stopPostgres();
    await scene.tandem.prints(/Staying in postgres-primary, not json-primary/);
    await scene.startPostgres();
    await reached(scene.origin, 'postgres-primary');
    await moreWrites(scene.load, WRITES_BETWEEN);
  });
  await endEqual(scene);
}, 120_000);
