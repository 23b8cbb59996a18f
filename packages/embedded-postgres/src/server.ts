//   initdb (once, beside, then renamed) ──> postgres in its own process group ──> ready
//                                              │ stop(): SIGINT, "fast" shutdown; past its
//                                              │ deadline SIGKILL, and the next start recovers
//   a server left over by a killed parent is stopped first (postmaster.pid)
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { binaryFolder } from './binaries.ts';
import { freePort, portIsFree } from './free-port.ts';
import { endLeftoverServer, killServer } from './leftover.ts';
import { unprivileged } from './unprivileged.ts';
import { until } from './until.ts';

const USER = 'tandem';
const DATABASE = 'tandem';
const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 60_000;
const PROBE_INTERVAL_MS = 25;

export interface EmbeddedServerOptions {
  /** The cluster's folder, e.g. `data/postgres`. `<folder>.json` beside it keeps how to connect. */
  readonly folder: string;
  /** Other programs than the packaged ones, e.g. `/usr/lib/postgresql/15/bin`. */
  readonly binaries?: string;
  /** Server settings, as in `postgresql.conf`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** How long a clean stop may take before the server is killed; 60 s if not given. */
  readonly stopTimeoutMs?: number;
}

export interface EmbeddedServer {
  /** `postgres://…` with user and password, on a loopback port. */
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Resolves with a sentence when the server ends, for whatever reason. */
  readonly ended: Promise<string>;
  /**
   * Ends the server cleanly ("fast" shutdown); resolves when it is gone. Idempotent.
   * @throws {Error} with a sentence when it had to be killed; its next start recovers
   */
  stop(): Promise<void>;
}

interface Connection {
  readonly port: number;
  readonly password: string;
}

const connectionFile = (folder: string) => `${folder}.json`;

const urlOf = ({ port, password }: Connection, database = DATABASE) =>
  `postgres://${USER}:${password}@127.0.0.1:${port}/${database}`;

/** Processes know a folder by its real path only. The cluster itself may not be there yet. */
function realPath(folder: string): string {
  const parent = dirname(resolve(folder));
  mkdirSync(parent, { recursive: true });
  return join(realpathSync(parent), basename(folder));
}

/** How to connect to the embedded server of a folder, as of its last start; `undefined` without one. */
export function embeddedUrl(folder: string): string | undefined {
  const connection = readConnection(folder);
  return connection === undefined ? undefined : urlOf(connection);
}

function readConnection(folder: string): Connection | undefined {
  const file = connectionFile(folder);
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, 'utf8')) as Connection;
}

/** Runs a program to its end, in a process group of its own: a Ctrl-C that comes while a newcomer's
 *  first start makes the cluster is not its business. */
async function run(program: string, args: readonly string[]): Promise<void> {
  const [command, commandArgs] = unprivileged(program, args);
  const child = spawn(command, commandArgs, { detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${program} failed: ${output.trim()}`);
}

/** Creates the cluster beside its place and renames it there: a killed initdb leaves no half one. */
async function initialise(folder: string, binaries: string): Promise<void> {
  const draft = `${folder}.new`;
  const passwordFile = `${folder}.password`;
  const password = randomBytes(24).toString('base64url');
  rmSync(draft, { recursive: true, force: true });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  try {
    await run(join(binaries, 'initdb'), [
      ...['--pgdata', draft, '--username', USER, '--pwfile', passwordFile],
      ...['--auth', 'scram-sha-256', '--encoding', 'UTF8', '--no-locale'],
    ]);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  writeConnection(folder, { port: 0, password });
  renameSync(draft, folder);
}

function writeConnection(folder: string, connection: Connection): void {
  const file = connectionFile(folder);
  writeFileSync(`${file}.new`, JSON.stringify(connection), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

async function connectOnce(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Waits until the server answers, and creates the database on its first start. */
async function waitUntilReady(connection: Connection, ended: Promise<string>): Promise<void> {
  let gone: string | undefined;
  void ended.then((sentence) => {
    gone = sentence;
  });
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    if (gone !== undefined) throw new Error(gone);
    try {
      const client = await connectOnce(urlOf(connection, 'postgres'));
      try {
        const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [
          DATABASE,
        ]);
        if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
      } finally {
        await client.end();
      }
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(PROBE_INTERVAL_MS);
    }
  }
}

/**
 * Starts a real PostgreSQL on a folder, creating the cluster on its first use. The server is in a
 * process group of its own: a terminal's Ctrl-C does not reach it.
 * @throws {Error} with one sentence when it can't be created or started
 */
export async function startEmbeddedPostgres(
  options: EmbeddedServerOptions,
): Promise<EmbeddedServer> {
  const folder = realPath(options.folder);
  const binaries = binaryFolder(options.binaries);
  if (!existsSync(join(folder, 'PG_VERSION'))) await initialise(folder, binaries);
  await endLeftoverServer(folder);
  const previous = readConnection(folder);
  if (previous === undefined) {
    throw new Error(
      `${connectionFile(folder)} is missing: the password of ${folder} is not known.`,
    );
  }
  const isFree = previous.port !== 0 && (await portIsFree(previous.port));
  const port = isFree ? previous.port : await freePort();
  const connection = { ...previous, port };
  writeConnection(folder, connection);

  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    ...options.settings,
  };
  const args = ['-D', folder];
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
  const logFile = `${folder}.log`;
  const [command, commandArgs] = unprivileged(join(binaries, 'postgres'), args);
  const log = openSync(logFile, 'a');
  const child = spawn(command, commandArgs, { detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = endOf(child, logFile);
  try {
    await waitUntilReady(connection, ended);
  } catch (error) {
    child.kill('SIGINT');
    throw error;
  }
  const { stopTimeoutMs = STOP_TIMEOUT_MS } = options;
  const end = () => stop(child, folder, stopTimeoutMs);
  return { url: urlOf(connection), port, pid: child.pid as number, ended, stop: end };
}

function endOf(child: ChildProcess, logFile: string): Promise<string> {
  return new Promise((settle) => {
    child.once('error', (error) => settle(`PostgreSQL could not be started: ${error.message}`));
    child.once('exit', (code, signal) =>
      settle(`PostgreSQL ended with ${signal ?? `status ${code}`}; its log is ${logFile}.`),
    );
  });
}

async function stop(child: ChildProcess, folder: string, timeoutMs: number): Promise<void> {
  const isOver = () => child.exitCode !== null || child.signalCode !== null;
  if (isOver()) return;
  child.kill('SIGINT');
  try {
    await until(isOver, timeoutMs, 'PostgreSQL');
  } catch (error) {
    await killServer(folder);
    throw new Error(`${(error as Error).message} It was killed; its next start recovers.`);
  }
}
