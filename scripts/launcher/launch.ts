//   lock DATA_DIR ─> leftovers ─> ports ─> PostgreSQL ─> migrate ─> api + worker ─> ready ─> logs
//
//   stop, in this order: api      its requests end, its relay drains, in a JSON phase it checkpoints
//                        worker   drains the queue, in postgres-primary it checkpoints
//                        PostgreSQL
import { join } from 'node:path';
import {
  type Configuration,
  readConfiguration,
  refuseStrangers,
} from '@tandem/storage/configuration';
import {
  operatorToken as readOperatorToken,
  readTokens,
  type TokenScope,
  tokenFilePath,
} from '@tandem/storage/tokens';
import { banner, originOf } from './banner.ts';
import { type DataFolderLock, lockDataFolder } from './data-folder-lock.ts';
import { EmbeddedDatabase } from './embedded-database.ts';
import { settleLeftBehind } from './left-behind.ts';
import { endLeftoverServices } from './leftover-services.ts';
import { migrateOrKeepTrying } from './migration.ts';
import { findPorts } from './ports.ts';
import type { LogView } from './readable-logs.ts';
import { Service, type ServiceFailure, type Stopped } from './service.ts';
import type { StopSignals } from './stop-signals.ts';

/** The services have deadlines of their own, shorter than these. */
const API_STOP_TIMEOUT_MS = 75_000;
const WORKER_STOP_TIMEOUT_MS = 75_000;
const LEFTOVER_STOP_TIMEOUT_MS = 75_000;
const WORKER_READY_TIMEOUT_MS = 60_000;
/** A catch-up of many records may take longer: the banner does not wait for it. */
const RELAY_UP_TIMEOUT_MS = 2_000;
const STILL_STARTING_INTERVAL_MS = 15_000;

const root = join(import.meta.dirname, '..', '..');

interface Launch {
  readonly configuration: Configuration;
  readonly environment: NodeJS.ProcessEnv;
  readonly view: LogView;
  readonly signals: StopSignals;
  readonly print: (text: string) => void;
  /** Whether what is printed goes to a terminal, and nowhere else. */
  readonly isTerminal: boolean;
}

/**
 * Runs the whole of Tandem until it is asked to stop, or can't run.
 * @returns the exit status, and the sentence to close with if it could not run
 * @throws {TandemError} `configuration`, `lock-held`
 */
export async function launch(
  options: Omit<Launch, 'configuration'>,
): Promise<{ exitCode: number; sentence?: string }> {
  const configuration = readConfiguration(options.environment);
  await refuseUnguarded(configuration);
  const lock = await lockDataFolder(configuration.dataDir);
  try {
    await endLeftoverServices(lock.previous, LEFTOVER_STOP_TIMEOUT_MS, options.view.log);
    const [port = 0, workerPort = 0] = await findPorts(configuration.host, [
      { variable: 'PORT', port: configuration.port },
      { variable: 'WORKER_PORT', port: configuration.workerPort },
    ]);
    return await run({ ...options, configuration: { ...configuration, port, workerPort } }, lock);
  } finally {
    lock.release();
  }
}

/** The api refuses it, too; here it is said before a database is started. */
async function refuseUnguarded(configuration: Configuration): Promise<void> {
  const { dataDir, clientTokens } = configuration;
  const { tokens = [] } = (await readTokens(tokenFilePath(dataDir))) ?? {};
  const isClient = ({ scope }: { scope: TokenScope }) => scope !== 'metrics';
  refuseStrangers(configuration, [...tokens, ...clientTokens].some(isClient));
}

async function run(launching: Launch, lock: DataFolderLock) {
  const { configuration, view, signals } = launching;
  const { stop } = signals;
  const embedded =
    configuration.databaseUrl === undefined
      ? await EmbeddedDatabase.start(join(configuration.dataDir, 'postgres'), view.log)
      : undefined;
  const databaseUrl = configuration.databaseUrl ?? (embedded as EmbeddedDatabase).url;
  const services = createServices(launching, databaseUrl, lock);
  signals.force.then(
    () => {
      for (const service of services) service.kill();
      embedded?.kill();
      console.error('Ended by force at a second signal; the next start recovers.');
      process.exit(1);
    },
    () => {},
  );
  let failure: ServiceFailure | undefined;
  for (const { failed } of services) {
    void failed.then((reason) => {
      failure ??= reason;
      signals.request('a service can not run');
    });
  }

  const { migrated, settled } = await migrateOrKeepTrying(databaseUrl, view.log, stop);
  if (!stop.aborted) await startServices(launching, services, migrated);
  await aborted(stop);

  if (failure === undefined) view.log.info({ signal: stop.reason }, 'Stopping …');
  let clean = true;
  const absent: string[] = [];
  for (const service of services) {
    const how = await stopService(service, view);
    if (how === 'was not running') absent.push(service.name);
    else clean = how === 'cleanly' && clean;
  }
  if (absent.length > 0) {
    const { jsonDir } = configuration;
    await settleLeftBehind({ names: absent, databaseUrl, jsonDir, log: view.log });
  }
  await settled;
  await embedded?.stop();
  if (failure !== undefined) return failure;
  if (!clean) return { exitCode: 1, sentence: 'Not everything stopped cleanly; see above.' };
  view.log.info({}, 'Everything is stopped.');
  return { exitCode: 0 };
}

/** The api and the worker, in the order in which they stop. */
function createServices(launching: Launch, databaseUrl: string, lock: DataFolderLock): Service[] {
  const { configuration, environment, view } = launching;
  const { host, port, workerPort, dataDir, jsonDir } = configuration;
  const shared = {
    environment: {
      ...environment,
      DATABASE_URL: databaseUrl,
      DATA_DIR: dataDir,
      JSON_DIR: jsonDir,
      PORT: String(port),
      WORKER_PORT: String(workerPort),
    },
    log: view.log,
  };
  const create = (name: string, entry: string, readyPort: number, stopTimeoutMs: number) =>
    new Service({
      ...shared,
      name,
      entry: join(root, entry),
      readyUrl: `${originOf(host, readyPort)}/readyz`,
      stopTimeoutMs,
      lines: (texts) => view.lines(name, texts),
      changed: () => lock.note(startedOf(services)),
    });
  const services = [
    create('api', 'apps/api/src/server.ts', port, API_STOP_TIMEOUT_MS),
    create('worker', 'apps/worker/src/main.ts', workerPort, WORKER_STOP_TIMEOUT_MS),
  ];
  return services;
}

const startedOf = (services: readonly Service[]) =>
  services.flatMap(({ name, entry, pid }) => (pid === undefined ? [] : [{ name, entry, pid }]));

/** Starts both and tells when they are ready. Without the database the worker can't be, yet. */
async function startServices(launching: Launch, services: readonly Service[], migrated: boolean) {
  const { configuration, view, signals, print } = launching;
  const [api, worker] = services as [Service, Service];
  for (const service of services) service.start();
  const stillStarting = setInterval(() => {
    const waited = services.filter((service) => !service.isReady).map(({ name }) => name);
    view.log.info({}, `Still waiting until ready: ${waited.join(' and ')}.`);
  }, STILL_STARTING_INTERVAL_MS);
  const workerWait = AbortSignal.any([signals.stop, AbortSignal.timeout(WORKER_READY_TIMEOUT_MS)]);
  const workerReady = worker.waitUntilReady(migrated ? workerWait : signals.stop);
  const apiReady = await api.waitUntilReady(signals.stop);
  if (migrated && !(await workerReady) && !signals.stop.aborted) {
    view.log.warn({}, 'The worker is not ready yet; changes wait in the outbox until it is.');
  }
  if (migrated) {
    // So that the first write is seen to be followed; nothing fails without it.
    const relayWait = AbortSignal.any([signals.stop, AbortSignal.timeout(RELAY_UP_TIMEOUT_MS)]);
    await api.waitUntilUp('relay', relayWait);
  }
  clearInterval(stillStarting);
  if (!apiReady || signals.stop.aborted) return;
  const operatorToken = launching.isTerminal
    ? await readOperatorToken(configuration, view.log)
    : undefined;
  print(banner(configuration, { migrated, operatorToken }));
}

async function stopService(service: Service, view: LogView): Promise<Stopped> {
  const how = await service.stop();
  if (how === 'killed') {
    view.log.error({}, `The ${service.name} did not stop within its deadline and was killed.`);
  } else if (how === 'with an error') {
    view.log.error({}, `The ${service.name} ended with an error while it stopped.`);
  }
  return how;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  signal.aborted
    ? Promise.resolve()
    : new Promise((settle) => signal.addEventListener('abort', () => settle(), { once: true }));
