import { join } from 'node:path';
import { loadCollections } from '@tandem/storage/collections';
import {
  type Configuration,
  readConfiguration,
  refuseStrangers,
} from '@tandem/storage/configuration';
import { ShadowReads } from '@tandem/storage/consistency';
import { type ErrorCode, isTandemError, sentenceOf, TandemError } from '@tandem/storage/errors';
import type { Log } from '@tandem/storage/log';
import { armFailpoint } from '@tandem/storage/phase';
import { divergenceLedger } from '@tandem/storage/postgres';
import { ClientTokens, operatorToken, tokenFilePath } from '@tandem/storage/tokens';
import {
  createMetrics,
  logDestination,
  observing,
  startTracing,
  WorkTally,
} from '@tandem/telemetry';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { build } from './app.ts';
import { openOperators } from './operators.ts';
import { ApiProcess } from './process/api-process.ts';
import { measuredRequests } from './process/measured-requests.ts';
import { ApiFacts } from './process/process-facts.ts';
import { readinessReport } from './process/readiness-report.ts';
import { shadowStores } from './process/shadow-stores.ts';
import { stopRequested } from './process/stop-signals.ts';
import { SnapshotSource } from './snapshot/snapshot-source.ts';

/** `EX_CONFIG`: started again with the same environment it would end the same way. */
const EXIT_CONFIGURATION = 78;
/** The process has ended and nothing is lost, but a stop owes more than was done (I7). */
const EXIT_UNCLEAN = 1;
/** `EX_TEMPFAIL`: what it needs is away at the moment; started again later it may work. */
const EXIT_TEMPORARY = 75;
const TEMPORARY: readonly ErrorCode[] = ['unavailable', 'storage-full'];
const DRAIN_TIMEOUT_MS = 10_000;
/** Requests in flight, the drain and the checkpoint together; then the process ends regardless. */
const STOP_TIMEOUT_MS = 60_000;

/** Where `vite build` puts the console. */
const CONSOLE_FOLDER = join(import.meta.dirname, '..', '..', 'console', 'dist');

async function main(): Promise<number> {
  const stopping = stopRequested();
  armFailpoint(process.env);
  const configuration = readConfiguration();
  const options = { level: configuration.logLevel, base: { process: 'api' } };
  const log = pino(options, logDestination());
  const collections = await loadCollections();
  const names = collections.map(({ name }) => name);
  const clients = await openClients(configuration, log);
  const metrics = createMetrics('api', names);
  const tracing = await startTracing('api', process.env, log);
  const tally = new WorkTally();
  const observers = tracing === undefined ? [] : [tracing.observer];
  const observer = observing([metrics.observer, tally.observer, ...observers], log);
  const api = new ApiProcess({
    ...{ configuration, collections, log, observer },
    work: () => tally.now,
  });
  const operators = await openOperators(configuration, collections, log, () =>
    api.keeper.session?.seen(),
  );
  const facts = new ApiFacts(api, operators.pool, log);
  const snapshots = new SnapshotSource({
    ...{ api, collections, facts: () => facts.now(), pool: operators.pool, log },
    operations: operators.operations,
    lastVerify: operators.consistency.runs.last,
  });
  const { shadowReadRate: rate } = configuration;
  const shadow = new ShadowReads({
    ...{ rate, collections, observer, log, stores: () => shadowStores(api, operators.pool) },
    reports: divergenceLedger(operators.pool),
  });
  const requests = measuredRequests(api.requests, metrics.requests, rate > 0 ? shadow : undefined);
  const app = await build({
    collections,
    access: {
      operatorToken: await operatorToken(configuration, log),
      clients,
      allowAnonymous: configuration.allowAnonymous,
    },
    migration: operators,
    deadLetters: operators.deadLetters,
    consistency: operators.consistency,
    externalEdits: operators,
    audit: operators,
    snapshot: { snapshot: (after) => snapshots.now(after) },
    console: { folder: CONSOLE_FOLDER },
    measuring: {
      requests: metrics.requests,
      phase: () => api.keeper.effective?.phase ?? 'none',
      tracing,
    },
    metrics: {
      contentType: metrics.contentType,
      text: () => metrics.text(facts.now()),
    },
    primary: () => requests,
    readiness: () => readinessReport(api),
    log,
    corsOrigin: configuration.corsOrigin,
    trustedProxies: configuration.trustedProxies,
    rateLimits: configuration.rateLimits,
    memoryLimitBytes: configuration.memoryLimitBytes,
  });
  await listen(app, configuration.host, configuration.port);
  facts.start();
  snapshots.start();
  if (rate > 0) shadow.start();
  // A start that fails ends the process; one that is still waiting (for the lock) can be stopped.
  const why = await Promise.race([stopping, api.start().then(() => stopping)]);
  log.info({}, `Stopping: ${why}.`);
  const unclean = await stopWithin(STOP_TIMEOUT_MS, async () => {
    await app.close();
    clients.close();
    // A server that hangs under a read for the metrics must not use up the drain's time.
    const measured = Promise.all([shadow.stop(), facts.stop(), snapshots.stop()]).then(() =>
      operators.close(),
    );
    try {
      await api.stop(DRAIN_TIMEOUT_MS);
    } finally {
      await measured;
      await tracing?.stop();
    }
  });
  if (unclean !== undefined) {
    log.error({ error: unclean }, `Stopped, but not cleanly: ${unclean}`);
    return EXIT_UNCLEAN;
  }
  log.info({}, 'Stopped.');
  return 0;
}

/** @throws {TandemError} `configuration`, also when strangers could reach a service without tokens */
async function openClients(configuration: Configuration, log: Log): Promise<ClientTokens> {
  const { dataDir, clientTokens: configured, allowAnonymous } = configuration;
  const clients = await ClientTokens.open({ path: tokenFilePath(dataDir), configured, log });
  refuseStrangers(configuration, clients.areThere);
  if (clients.areThere && allowAnonymous) {
    const sentence =
      'There are tokens for clients, yet ALLOW_ANONYMOUS_CLIENTS=true: they may come without one.';
    log.warn({}, sentence);
  }
  return clients;
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
      throw new TandemError('configuration', `PORT ${port} on ${host} is already in use.`);
    }
    throw error;
  }
}

/** @returns one sentence when the stop was not a clean one */
async function stopWithin(
  timeoutMs: number,
  stop: () => Promise<void>,
): Promise<string | undefined> {
  const deadline = setTimeout(() => {
    process.stderr.write(`The api did not stop within ${timeoutMs} ms.\n`);
    process.exit(1);
  }, timeoutMs);
  try {
    await stop();
    return undefined;
  } catch (error) {
    if (isTandemError(error)) return error.message;
    throw error;
  } finally {
    clearTimeout(deadline);
  }
}

/** The sentence goes to standard error as it is: it is for whoever started this. */
function fail(error: unknown): number {
  if (isTandemError(error)) {
    process.stderr.write(`${error.message}\n`);
    return TEMPORARY.includes(error.code) ? EXIT_TEMPORARY : EXIT_CONFIGURATION;
  }
  process.stderr.write(`${error instanceof Error ? error.stack : sentenceOf(error)}\n`);
  return 1;
}

process.exit(await main().catch(fail));
