// One switch under load, during which one process is ended at one failpoint.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type EmbeddedServer,
  embeddedUrl,
  sendSignal,
  startEmbeddedPostgres,
} from '@tandem/embedded-postgres';
import { FAILPOINTS, type Failpoint, type Phase, secondaryOf } from '@tandem/storage/phase';
import { expect, onTestFinished, vi } from 'vitest';
import { newDatabase } from './database.ts';
import { type Load, moreWrites, startLoad } from './load.ts';
import { reach, reached, setFlags } from './phase-flags.ts';
import { recordPrimaries } from './primaries-recorder.ts';
import { descendants } from './processes.ts';
import { EXPENSE_ROWS, legacyFile, query } from './record-client.ts';
import { startTandem, type Tandem, temporaryFolder } from './tandem-process.ts';

const WAIT = { timeout: 60_000, interval: 50 };
const WRITERS = 6;
const WRITES_BETWEEN = 60;
/** How long the process stays at the failpoint while PostgreSQL is ended and comes back. */
const HELD_AT_FAILPOINT_MS = 2_500;
const OUTAGE_MS = 3_000;

/** The moves that reach the failpoints of a group, and what is desired before. */
export const MOVES: Readonly<Record<string, { readonly from: Phase; readonly to: Phase }>> = {
  'dual-write-on': { from: 'json-only', to: 'json-primary' },
  'dual-write-off': { from: 'json-primary', to: 'json-only' },
  promote: { from: 'json-primary', to: 'postgres-primary' },
  demote: { from: 'postgres-primary', to: 'json-primary' },
  'json-off': { from: 'postgres-primary', to: 'postgres-only' },
  'json-on': { from: 'postgres-only', to: 'postgres-primary' },
};
/** From where nothing follows, the dual phase in which both stores are brought to be equal. */
const DUAL: Readonly<Partial<Record<Phase, Phase>>> = {
  'json-only': 'json-primary',
  'postgres-only': 'postgres-primary',
};

export interface Drill {
  readonly failpoint: Failpoint;
  /**
   * Who is ended: the process that reaches the failpoint, or PostgreSQL's postmaster, by SIGKILL; or
   * PostgreSQL as by `pg_ctl stop -m immediate`, to be started again seconds later.
   */
  readonly victim: 'self' | 'postgres' | 'outage';
}

/** Where PostgreSQL is ended: sealed, marked, and committed on the other side, in both directions. */
const WITH_POSTGRES: readonly Failpoint[] = [
  'promote.sealed',
  'promote.committing-marked',
  'promote.committed',
  'demote.sealed',
  'demote.json-committed',
];

export const DRILLS: readonly Drill[] = [
  ...FAILPOINTS.map((failpoint) => ({ failpoint, victim: 'self' as const })),
  ...WITH_POSTGRES.map((failpoint) => ({ failpoint, victim: 'postgres' as const })),
];

/** PostgreSQL away for a while at each failpoint; `npm run drill:failpoints -- --outage`. */
export const OUTAGES: readonly Drill[] = FAILPOINTS.map((failpoint) => ({
  failpoint,
  victim: 'outage',
}));

/** What a drill showed. */
export interface DrillResult {
  readonly longestMs: number;
  readonly acknowledged: number;
  readonly refused: Readonly<Record<string, number>>;
}

/**
 * Runs it and checks: never two primaries, the switch done in the end, nothing acknowledged lost, no
 * id given twice, both stores equal at rest, no dead letter. Call it inside a test.
 */
export async function runDrill({ failpoint, victim }: Drill): Promise<DrillResult> {
  const dataDir = temporaryFolder();
  const jsonDir = join(dataDir, 'json');
  const folder = join(dataDir, 'postgres');
  const own = victim === 'outage' ? await OwnServer.start() : undefined;
  const shared = victim === 'self' ? await newDatabase() : own?.url;
  const { from, to } = MOVES[failpoint.split('.')[0] as string] as { from: Phase; to: Phase };
  const tandem = startTandem({
    DATA_DIR: dataDir,
    TANDEM_FAILPOINT: `${failpoint}:${victim === 'self' ? 'kill' : HELD_AT_FAILPOINT_MS}`,
    ...(shared === undefined ? {} : { DATABASE_URL: shared }),
  });
  const origin = await tandem.ready();
  const url = shared ?? (embeddedUrl(folder) as string);
  const load = startLoad(origin, WRITERS);
  const recorder = recordPrimaries(url, jsonDir);
  try {
    await reach(url, origin, from);
    await moreWrites(load, WRITES_BETWEEN);
    await setFlags(url, to);
    await tandem.prints(`Failpoint ${failpoint} reached.`, WAIT.timeout);
    if (victim === 'postgres') killPostgres(tandem);
    await own?.outage();
    await reached(origin, to);
    await moreWrites(load, WRITES_BETWEEN);
    const rest = DUAL[to];
    if (rest !== undefined) {
      await reach(url, origin, rest);
      await moreWrites(load, WRITES_BETWEEN);
    }
    await load.stop();
    if (secondaryOf(rest ?? to) === 'json') await inStep(url);
    await drained(url, tandem);
  } catch (error) {
    throw new Error(`${error}\n${tandem.output()}`);
  } finally {
    await load.stop();
    await recorder.stop();
  }
  expect(await tandem.interrupt(), tandem.output()).toBe(0);
  const server = victim === 'postgres' ? await startEmbeddedPostgres({ folder }) : undefined;
  try {
    await compare(url, jsonDir, load, tandem);
  } finally {
    await server?.stop();
  }
  expect(recorder.violations).toEqual([]);
  expect(recorder.looks).toBeGreaterThan(0);
  const { longestMs, acknowledged, refused } = load;
  return { longestMs, acknowledged: acknowledged.size, refused: Object.fromEntries(refused) };
}

/** A PostgreSQL of the drill's own, which can be away. */
class OwnServer {
  readonly #options: { readonly folder: string };
  #server: EmbeddedServer;

  static async start(): Promise<OwnServer> {
    const options = { folder: join(temporaryFolder(), 'postgres') };
    const own = new OwnServer(options, await startEmbeddedPostgres(options));
    onTestFinished(() => own.#server.stop());
    return own;
  }

  private constructor(options: { readonly folder: string }, server: EmbeddedServer) {
    this.#options = options;
    this.#server = server;
  }

  get url(): string {
    return this.#server.url;
  }

  /** An immediate shutdown, without a checkpoint; resolves when it serves again. */
  async outage(): Promise<void> {
    const { url, pid, ended } = this.#server;
    process.kill(pid, 'SIGQUIT');
    await ended;
    await sleep(OUTAGE_MS);
    this.#server = await startEmbeddedPostgres(this.#options);
    expect(this.#server.url).toBe(url);
  }
}

/** Rows, or none while the server is coming back. */
const rowsIfUp = (url: string, sql: string) => query(url, sql).catch(() => undefined);

/** A worker that was started again some moments ago has JSON's difference behind it. */
const inStep = (url: string): Promise<unknown> =>
  vi.waitUntil(async () => {
    const found = await rowsIfUp(url, 'SELECT catch_up_since FROM phase_state');
    return found?.[0]?.catch_up_since === null;
  }, WAIT);

/** A worker that was killed some moments ago is back, and has nothing left to do. */
const drained = (url: string, tandem: Tandem): Promise<unknown> =>
  vi.waitUntil(async () => {
    if (descendants(tandem.pid, 'apps/worker/src/main.ts').length === 0) return false;
    const waiting = `SELECT 1 FROM pgboss.job WHERE name ~ '^write-to-[a-z]+$' AND state < 'completed'`;
    return (await rowsIfUp(url, waiting))?.length === 0;
  }, WAIT);

function killPostgres(tandem: Tandem): void {
  const pids = descendants(tandem.pid, 'bin/postgres -D');
  expect(pids).not.toEqual([]);
  for (const pid of pids) sendSignal(pid, 'SIGKILL');
}

/** That both stores are equal at rest and hold what was acknowledged, and that nothing died on the way. */
export async function compare(
  url: string,
  jsonDir: string,
  load: Load,
  tandem: Tandem,
): Promise<void> {
  const output = tandem.output();
  const file = legacyFile(jsonDir, 'expenses.json');
  expect(await query(url, EXPENSE_ROWS), output).toEqual(file);
  const stored = new Map(file.map((expense) => [expense.id, expense]));
  for (const [id, expense] of load.acknowledged) {
    expect(stored.get(id) ?? null, output).toEqual(expense);
  }
  expect(load.repeatedIds, output).toEqual([]);
  const dead = await query(url, `SELECT * FROM pgboss.job WHERE name LIKE '%-dead'`);
  expect(dead, output).toEqual([]);
}
