//   32 clients ──HTTP──> apis ─proxy─┐   one or two ┐
//                         │ JSON      │              ├ each with a proxy and a clock of its own
//                       workers ─proxy┤   up to three┘
//                         │ JSON      └──> PostgreSQL <── the chaos itself, past every proxy
//                      small disk
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@tandem/embedded-postgres';
import { flagsOf, type Phase } from '@tandem/storage/phase';
import { startTcpProxy, type TcpProxy } from '@tandem/storage/testing';
import { canHaveSmallDisk, type SmallDisk, startSmallDisk } from '../small-disk.ts';
import { environmentWith, root, startProcess, temporaryFolder } from '../tandem-process.ts';
import type { Door } from './api-choice.ts';
import type { HotRecords } from './client.ts';
import { type Clock, clockOf } from './clocks.ts';
import type { History } from './history.ts';
import { Member } from './member.ts';
import { type Readiness, readinessAt } from './readiness.ts';
import { ChaosServer } from './server.ts';
import type { Timeline } from './timeline.ts';
import { waitFor } from './waiting.ts';

/** What both stores begin with, and what journal, records and keys take in a minute of it, with as much again. */
const DISK_MIB = 48;
const DISK_MIB_PER_MINUTE = 12;
/** Healing and checking take as long as the rounds at most, and an hour is not too much. */
const DISK_LIFE_SECONDS = 7_200;
const WORKERS_MAX = 3;
const READY_TIMEOUT_MS = 60_000;
/** An operator who can't reach the database tries again. */
const SQL_INTERVAL_MS = 250;
const COMMAND_TIMEOUT_MS = 60_000;

/** A process of the system with what is its own. */
export interface Part {
  readonly member: Member;
  readonly proxy: TcpProxy;
  readonly clock: Clock;
}

/** An api process; faults call it by its name, clients by its origin. */
interface ApiPart extends Part, Door {}

/** Everything that runs, and what a fault can do to it. */
export interface World {
  readonly server: ChaosServer;
  readonly apis: readonly ApiPart[];
  readonly workers: readonly Part[];
  /** `undefined` where there can be none. */
  readonly disk: SmallDisk | undefined;
  /** The JSON folder as it is seen from here. */
  readonly jsonDir: string;
  readonly timeline: Timeline;
  readonly history: History;
  readonly hot: HotRecords;
  /** The worker that faults are aimed at: the first that is wanted. */
  worker(): Part;
  /** What each api says of itself; `undefined` while it does not answer. */
  readinesses(): Promise<readonly (Readiness | undefined)[]>;
  /** What the first that is ready says; `undefined` while none is. */
  readiness(): Promise<Readiness | undefined>;
  /** Runs a statement until it is done. @throws {Error} after a while */
  sql(statement: string, timeoutMs?: number): Promise<Record<string, unknown>[]>;
  desire(phase: Phase): Promise<void>;
  /** Runs `tandem …`. */
  tandem(
    ...args: readonly string[]
  ): Promise<{ readonly status: unknown; readonly output: string }>;
}

interface WorldOptions {
  /** How many api processes. */
  readonly apis: number;
  /** Of all rounds together, in ms. */
  readonly lengthMs: number;
  /** For logs, and everything that is not removed. */
  readonly folder: string;
  readonly timeline: Timeline;
  readonly history: History;
  readonly hot: HotRecords;
}

/** Starts PostgreSQL, the apis and one worker; resolves when they serve. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { folder, lengthMs, timeline, history, hot } = options;
  const home = temporaryFolder();
  const server = await ChaosServer.start(join(home, 'postgres'), timeline);
  const disk = canHaveSmallDisk()
    ? await startSmallDisk(diskSize(lengthMs), DISK_LIFE_SECONDS)
    : undefined;
  const enter = disk?.enter ?? [];
  const jsonDir = join(disk?.folder ?? home, 'json');
  const shared = {
    DATA_DIR: home,
    JSON_DIR: jsonDir,
    OPERATOR_TOKEN: 'an-operator-of-the-chaos',
    ADOPT_EXTERNAL_EDITS: 'true',
    VERIFY_EVERY: '20s',
    SHADOW_READ_RATE: '0.05',
  };
  const tandem: World['tandem'] = async (...args) => {
    const variables = { ...shared, DATABASE_URL: server.url };
    const running = startProcess(
      commandOf(enter, 'apps/cli/src/main.ts', args),
      environmentWith(variables),
    );
    const deadline = setTimeout(() => process.kill(running.pid, 'SIGKILL'), COMMAND_TIMEOUT_MS);
    const status = await running.ended;
    clearTimeout(deadline);
    timeline.note(`tandem ${args.join(' ')} ended with ${status}`);
    return { status, output: running.output() };
  };
  const migrated = await tandem('migrate');
  if (migrated.status !== 0) throw new Error(`tandem migrate: ${migrated.output}`);

  const part = async (name: string, entry: string, variables: Record<string, string>) => {
    const proxy = await startTcpProxy(server.url);
    const clock = clockOf(join(home, `clock-${name}`));
    const member = new Member({
      ...{ name, timeline, logFile: join(folder, `${name}.log`) },
      command: commandOf(enter, entry),
      environment: environmentWith({
        ...{ ...shared, ...clock.environment, ...variables, DATABASE_URL: proxy.url },
      }),
    });
    return { member, proxy, clock };
  };
  const apis: ApiPart[] = [];
  for (let number = 1; number <= options.apis; number++) {
    const port = String(await freePort());
    const [name, origin] = [`api-${number}`, `http://127.0.0.1:${port}`];
    apis.push({ name, origin, ...(await part(name, 'apps/api/src/server.ts', { PORT: port })) });
  }
  const workers: Part[] = [];
  for (let number = 1; number <= WORKERS_MAX; number++) {
    workers.push(await part(`worker-${number}`, 'apps/worker/src/main.ts', { WORKER_PORT: '0' }));
  }
  const readinesses = () => Promise.all(apis.map(({ origin }) => readinessAt(origin)));
  const sql: World['sql'] = (statement, timeoutMs = READY_TIMEOUT_MS) =>
    untilDone(() => server.query(statement), timeoutMs);
  const world: World = {
    ...{ server, apis, workers, disk, timeline, history, hot, sql, tandem, readinesses },
    jsonDir: disk === undefined ? jsonDir : disk.seen(jsonDir),
    worker: () => workers.find(({ member }) => member.isWanted) ?? (workers[0] as Part),
    readiness: async () => (await readinesses()).find((one) => one?.isReady),
    desire: async (phase) => {
      timeline.note(`desired: ${phase}`);
      await sql(flagsStatement(phase));
    },
  };
  for (const { member } of apis) member.start();
  workers[0]?.member.start();
  await waitFor(
    'The start',
    READY_TIMEOUT_MS,
    async () => (await world.readiness())?.status === 'ok',
  );
  return world;
}

const diskSize = (lengthMs: number): string =>
  `${Math.ceil(DISK_MIB + (DISK_MIB_PER_MINUTE * lengthMs) / 60_000)}m`;

/** A program of ours, somewhere else if it has to be. */
function commandOf(
  enter: readonly string[],
  entry: string,
  args: readonly string[] = [],
): [string, ...string[]] {
  const [first = process.execPath, ...rest] = [
    ...enter,
    process.execPath,
    join(root, entry),
    ...args,
  ];
  return [first, ...rest];
}

/** Ends everything in order. @returns the processes that did not end with status 0 */
export async function stopWorld({ apis, workers, server }: World): Promise<readonly string[]> {
  const parts = [...apis, ...workers];
  const unclean: string[] = [];
  for (const { member, proxy } of parts) {
    const status = await member.stop();
    if (status !== 0 && status !== undefined) unclean.push(`${member.name} ended with ${status}`);
    await proxy.close();
  }
  await server.stop();
  return unclean;
}

async function untilDone<T>(work: () => Promise<T>, timeoutMs: number): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await sleep(SQL_INTERVAL_MS);
    }
  }
}

/** As an operator would type it, both flags at once. */
function flagsStatement(phase: Phase): string {
  const { USE_DATABASE_STORAGE, DUAL_WRITE_ENABLED } = flagsOf(phase);
  return `INSERT INTO feature_flags (name, enabled)
    VALUES ('USE_DATABASE_STORAGE', ${USE_DATABASE_STORAGE}), ('DUAL_WRITE_ENABLED', ${DUAL_WRITE_ENABLED})
    ON CONFLICT (name, user_id) DO UPDATE SET enabled = excluded.enabled`;
}
