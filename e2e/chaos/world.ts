//   32 clients ──HTTP──> api ──proxy──┐
//                         │ JSON       ├──> PostgreSQL <── the chaos itself, past every proxy
//                      small disk      │
//                         │ JSON       │
//                       workers ─proxy─┘   up to three, each with a proxy and a clock of its own
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@tandem/embedded-postgres';
import { flagsOf, type Phase } from '@tandem/storage/phase';
import { startTcpProxy, type TcpProxy } from '@tandem/storage/testing';
import { canHaveSmallDisk, type SmallDisk, startSmallDisk } from '../small-disk.ts';
import { environmentWith, root, startProcess, temporaryFolder } from '../tandem-process.ts';
import type { HotRecords } from './client.ts';
import { type Clock, clockOf } from './clocks.ts';
import type { History } from './history.ts';
import { Member } from './member.ts';
import { ChaosServer } from './server.ts';
import type { Timeline } from './timeline.ts';

const DISK_SIZE = '48m';
/** Longer than any run of one seed. */
const DISK_LIFE_SECONDS = 7_200;
const WORKERS_MAX = 3;
const READY_TIMEOUT_MS = 60_000;
const PROBE_TIMEOUT_MS = 2_000;
const PROBE_INTERVAL_MS = 100;
/** An operator who can't reach the database tries again. */
const SQL_INTERVAL_MS = 250;
const COMMAND_TIMEOUT_MS = 60_000;

/** A process of the system with what is its own. */
export interface Part {
  readonly member: Member;
  readonly proxy: TcpProxy;
  readonly clock: Clock;
}

interface Readiness {
  readonly status: string;
  readonly phase?: {
    readonly desired: Phase;
    readonly effective: Phase;
    readonly waitingFor?: string;
  };
  readonly backlog?: number;
  readonly catchUp?: unknown;
}

/** Everything that runs, and what a fault can do to it. */
export interface World {
  readonly origin: string;
  readonly server: ChaosServer;
  readonly api: Part;
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
  /** What the api says of itself; `undefined` while it does not answer. */
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
  /** For logs, and everything that is not removed. */
  readonly folder: string;
  readonly timeline: Timeline;
  readonly history: History;
  readonly hot: HotRecords;
}

/** Starts PostgreSQL, the api and one worker; resolves when all of it serves. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { folder, timeline, history, hot } = options;
  const home = temporaryFolder();
  const server = await ChaosServer.start(join(home, 'postgres'), timeline);
  const disk = canHaveSmallDisk() ? await startSmallDisk(DISK_SIZE, DISK_LIFE_SECONDS) : undefined;
  const enter = disk?.enter ?? [];
  const jsonDir = join(disk?.folder ?? home, 'json');
  const port = await freePort();
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
  const api = await part('api', 'apps/api/src/server.ts', { PORT: String(port) });
  const workers: Part[] = [];
  for (let number = 1; number <= WORKERS_MAX; number++) {
    workers.push(await part(`worker-${number}`, 'apps/worker/src/main.ts', { WORKER_PORT: '0' }));
  }
  const origin = `http://127.0.0.1:${port}`;
  const sql: World['sql'] = (statement, timeoutMs = READY_TIMEOUT_MS) =>
    untilDone(() => server.query(statement), timeoutMs);
  const world: World = {
    ...{ origin, server, api, workers, disk, timeline, history, hot, sql, tandem },
    jsonDir: disk === undefined ? jsonDir : disk.seen(jsonDir),
    worker: () => workers.find(({ member }) => member.isWanted) ?? (workers[0] as Part),
    readiness: () => readinessAt(origin),
    desire: async (phase) => {
      timeline.note(`desired: ${phase}`);
      await sql(flagsStatement(phase));
    },
  };
  api.member.start();
  workers[0]?.member.start();
  await waitFor(
    'The start',
    READY_TIMEOUT_MS,
    async () => (await world.readiness())?.status === 'ok',
  );
  return world;
}

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
export async function stopWorld({ api, workers, server }: World): Promise<readonly string[]> {
  const parts = [api, ...workers];
  const unclean: string[] = [];
  for (const { member, proxy } of parts) {
    const status = await member.stop();
    if (status !== 0 && status !== undefined) unclean.push(`${member.name} ended with ${status}`);
    await proxy.close();
  }
  await server.stop();
  return unclean;
}

/** Waits until a condition holds. @throws {Error} naming it */
export async function waitFor(
  what: string,
  timeoutMs: number,
  holds: () => Promise<boolean>,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`${what} took more than ${timeoutMs} ms.`);
    await sleep(PROBE_INTERVAL_MS);
  }
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

async function readinessAt(origin: string): Promise<Readiness | undefined> {
  try {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const answer = await fetch(`${origin}/readyz`, { signal });
    const readiness = (await answer.json()) as Readiness;
    return answer.status === 200 ? readiness : undefined;
  } catch {
    return undefined;
  }
}

/** As an operator would type it, both flags at once. */
function flagsStatement(phase: Phase): string {
  const { USE_DATABASE_STORAGE, DUAL_WRITE_ENABLED } = flagsOf(phase);
  return `INSERT INTO feature_flags (name, enabled)
    VALUES ('USE_DATABASE_STORAGE', ${USE_DATABASE_STORAGE}), ('DUAL_WRITE_ENABLED', ${DUAL_WRITE_ENABLED})
    ON CONFLICT (name, user_id) DO UPDATE SET enabled = excluded.enabled`;
}
