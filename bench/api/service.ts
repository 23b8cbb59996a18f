import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const READY_TIMEOUT_MS = 120_000;
/** Variables of whoever runs the bench that would choose for Tandem. */
const OURS = /^(FF_|DATABASE_URL$|DATA_DIR$|JSON_DIR$|HOST$|(WORKER_)?PORT$|LOG_)/;

/** A process that serves HTTP. */
export class Service {
  readonly #child: ChildProcess;
  readonly origin: string;

  private constructor(child: ChildProcess, origin: string) {
    this.#child = child;
    this.origin = origin;
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /**
   * Starts a program on a free port.
   * @param says what it prints when it serves; the first group, if there is one, is its origin
   */
  static async start(
    program: string,
    variables: Readonly<Record<string, string>>,
    says: RegExp,
  ): Promise<Service> {
    const inherited = Object.entries(process.env).filter(([name]) => !OURS.test(name));
    const child = spawn(process.execPath, [join(root, program)], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...Object.fromEntries(inherited), PORT: '0', WORKER_PORT: '0', ...variables },
    });
    // Whoever ends the bench must not be left with its servers.
    const end = (): boolean => child.kill('SIGTERM');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let printed = '';
    let ready = false;
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      // Read on for ever: a log that nobody takes would stop its process.
      if (ready) return;
      printed += text;
      const said = says.exec(printed);
      ready = said !== null;
      if (said !== null) resolve(said[1] ?? '');
    });
    child.once('exit', (code) => reject(new Error(`${program} ended with ${code}:\n${printed}`)));
    const timer = setTimeout(
      () => reject(new Error(`${program} does not get ready:\n${printed}`)),
      READY_TIMEOUT_MS,
    );
    try {
      return new Service(child, await promise);
    } catch (error) {
      child.kill('SIGTERM');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await ended;
  }
}

/** What the services of one installation are told alike. */
export interface DualVariables {
  readonly DATA_DIR: string;
  readonly DATABASE_URL: string;
  readonly OPERATOR_TOKEN: string;
}

/** Nobody listens on the discard port: the JSON phases serve without PostgreSQL. */
const NO_DATABASE = 'postgres://nobody:none@127.0.0.1:9/none';

/** The api process alone, in `json-only`, on a directory of its own. */
export const startJsonOnly = (directory: string): Promise<Service> =>
  Service.start(
    'apps/api/src/server.ts',
    {
      ...{ DATA_DIR: directory, JSON_DIR: directory, DATABASE_URL: NO_DATABASE },
      ...{ FF_USE_DATABASE_STORAGE: 'false', FF_DUAL_WRITE_ENABLED: 'false' },
    },
    /listening at (http:[^"\s]+)[\s\S]*Serving in json-only/,
  );

/** All of Tandem in `json-primary`: api, worker and the embedded PostgreSQL. */
export const startJsonPrimary = (directory: string): Promise<Service> =>
  Service.start(
    'scripts/start.ts',
    {
      DATA_DIR: directory,
      ...{ FF_USE_DATABASE_STORAGE: 'false', FF_DUAL_WRITE_ENABLED: 'true' },
    },
    /^ {2}API +(http:\/\/[^/\s]+)/m,
  );

/** The api process alone, in `json-primary`, beside a migrated database of somebody else's. Nothing is
 *  verified but what is asked for. */
export const startDualApi = (variables: DualVariables): Promise<Service> =>
  Service.start(
    'apps/api/src/server.ts',
    {
      ...variables,
      ...{ FF_USE_DATABASE_STORAGE: 'false', FF_DUAL_WRITE_ENABLED: 'true' },
      ...{ VERIFY_EVERY: 'off', VERIFY_FULL_EVERY: 'off' },
    },
    /listening at (http:[^"\s]+)[\s\S]*Serving in json-primary/,
  );

/** A worker beside it; it begins to work at once. */
export const startDualWorker = (variables: DualVariables): Promise<Service> =>
  Service.start('apps/worker/src/main.ts', { ...variables }, /Phase: json-primary/);

/** What people would use instead; a file of `bench/peers`. */
export const startPeer = (
  peer: string,
  variables: Readonly<Record<string, string>> = {},
): Promise<Service> =>
  Service.start(`bench/peers/${peer}.ts`, variables, /listening at (http:\S+)/);
