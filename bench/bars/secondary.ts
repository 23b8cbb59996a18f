import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readBacklog } from '@tandem/storage/replication';
import pg from 'pg';
import { startBenchServer } from '../api/bench-server.ts';
import { firePosts } from '../api/cannon.ts';
import { until } from '../api/dual-services.ts';
import { Processes } from '../api/processes.ts';
import { type Running, withRunning } from '../api/running.ts';
import type { Service } from '../api/service.ts';
import { figures, rates } from '../api/spelled.ts';
import { TandemSystem } from '../api/tandem-system.ts';
import type { Profile } from '../profile.ts';
import { type Result, result, spellAll } from '../result.ts';
import { inTurns, ratiosOf } from '../turns.ts';

/** POST/s while the secondary is down, against that while it is up; and with twice the processes. */
export async function secondary(profile: Profile, folder: string): Promise<Result[]> {
  const place = join(folder, 'secondary');
  return [
    await withRunning((running) => postgresDown(profile, join(place, 'json'), running)),
    ...(await withRunning((running) => processes(profile, join(place, 'postgres'), running))),
  ];
}

async function postgresDown(
  { longTurns, apiSeconds }: Profile,
  folder: string,
  running: Running,
): Promise<Result> {
  const system = async (name: string): Promise<{ system: TandemSystem; stop(): Promise<void> }> => {
    const server = await running.of(startBenchServer(join(folder, `server-${name}`)));
    await mkdir(join(folder, name), { recursive: true });
    const url = await server.database(name);
    const one = await running.of(TandemSystem.start(join(folder, name), url, 0));
    await one.moveTo('json-primary');
    await firePosts(one.origin, apiSeconds);
    await one.settle();
    return { system: one, stop: server.stop };
  };
  const up = await system('up');
  const down = await system('down');
  await down.stop();
  const measured = await inTurns(longTurns, {
    up: async () => {
      const fired = await firePosts(up.system.origin, apiSeconds);
      await up.system.settle();
      return fired;
    },
    down: () => firePosts(down.system.origin, apiSeconds),
  });
  return result(
    'POST in json-primary with PostgreSQL down, over that with it up',
    { relation: '≥', value: 0.95 },
    ratiosOf(rates(measured.down), rates(measured.up)),
    `${figures(measured.down)}; up ${figures(measured.up)}`,
  );
}

/** A folder and a database that were moved to `postgres-primary` and stopped. */
async function prepared(folder: string, url: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const system = await TandemSystem.start(folder, url, 0);
  try {
    await system.moveTo('postgres-primary');
  } finally {
    await system.stop();
  }
}

interface Fleet {
  readonly folder: string;
  readonly url: string;
  readonly processes: Processes;
  answered: number;
}

async function processes(
  { apiTurns, apiSeconds }: Profile,
  folder: string,
  running: Running,
): Promise<Result[]> {
  const server = await running.of(startBenchServer(join(folder, 'server')));
  const start = async (name: string, apis: number, workers: number): Promise<Fleet> => {
    const url = await server.database(name);
    const place = join(folder, name);
    await prepared(place, url);
    const started = await running.of(Processes.start(place, url, { apis, workers }));
    return { folder: place, url, processes: started, answered: 0 };
  };
  const one = await start('one', 1, 1);
  const two = await start('two', 2, 2);
  const none = await start('none', 1, 0);
  for (const fleet of [one, two, none]) await fireAll(fleet, apiSeconds);
  const measured = await inTurns(apiTurns, {
    one: () => firedAndDrained(one, apiSeconds),
    two: () => firedAndDrained(two, apiSeconds),
    none: () => fireAll(none, apiSeconds),
  });
  await assertComplete(two);
  return [
    result(
      'POST in postgres-primary without a worker, JSON unreached, over that with one',
      { relation: '≥', value: 0.95 },
      ratiosOf(measured.none, measured.one),
      `${spellAll(measured.none, ' req/s')}; with one ${spellAll(measured.one, ' req/s')}`,
    ),
    result(
      'POST in postgres-primary, 2 api and 2 worker processes over 1 and 1',
      { relation: '≥', value: 1 },
      ratiosOf(measured.two, measured.one),
      `${spellAll(measured.two, ' req/s')}; everything answered is in both stores`,
    ),
  ];
}

/** Load generators, whatever the number of api processes: a second one takes part of a processor itself. */
const CANNONS = 2;
const CONNECTIONS = 32;

/** All api processes at once, over as many connections together. @returns answers a second */
async function fireAll(fleet: Fleet, seconds: number): Promise<number> {
  const { apis } = fleet.processes;
  const targets = Array.from({ length: CANNONS }, (_, n) => apis[n % apis.length] as Service);
  const fired = await Promise.all(
    targets.map(({ origin }) => firePosts(origin, seconds, { connections: CONNECTIONS })),
  );
  fleet.answered += fired.reduce((sum, { answered }) => sum + answered, 0);
  return rates(fired).reduce((sum, rate) => sum + rate, 0);
}

/** What is left to replicate belongs to nobody else's turn. */
async function firedAndDrained(fleet: Fleet, seconds: number): Promise<number> {
  const rate = await fireAll(fleet, seconds);
  const client = new pg.Client({ connectionString: fleet.url });
  await client.connect();
  try {
    await until('its queue is empty', async () => (await readBacklog(client)).total === 0);
  } finally {
    await client.end();
  }
  return rate;
}

/** Stops everything, which drains it, and sees that both stores have the same and all that was answered. */
async function assertComplete({ folder, url, processes, answered }: Fleet): Promise<void> {
  await processes.stop();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ n: number }>('SELECT count(*)::int AS n FROM expenses');
    const records: unknown[] = JSON.parse(
      await readFile(join(folder, 'json', 'expenses.json'), 'utf8'),
    );
    const count = rows[0]?.n ?? 0;
    if (count >= answered && records.length === count) return;
    throw new Error(
      `${answered} answers, ${count} rows, ${records.length} records in expenses.json.`,
    );
  } finally {
    await client.end();
  }
}
