import { loadCollections } from '@tandem/storage/collections';
import { type Configuration, readConfiguration } from '@tandem/storage/configuration';
import { isTandemError, sentenceOf } from '@tandem/storage/errors';
import type { Log } from '@tandem/storage/log';
import { armFailpoint } from '@tandem/storage/phase';
import { ClientTokens, Credentials, operatorToken, tokenFilePath } from '@tandem/storage/tokens';
import {
  createMetrics,
  logDestination,
  observing,
  startTracing,
  WorkTally,
} from '@tandem/telemetry';
import { pino } from 'pino';
import { startHealthServer } from './health-server.ts';
import { WorkerFacts } from './process-facts.ts';
import { readinessOf } from './report.ts';
import { stopRequested } from './stop-signals.ts';
import { WorkerProcess } from './worker-process.ts';

/** `EX_CONFIG`: started again with the same environment it would end the same way. */
const EXIT_CONFIGURATION = 78;
/** The process has ended and nothing is lost, but a stop owes more than was done (I7). */
const EXIT_UNCLEAN = 1;
const DRAIN_TIMEOUT_MS = 10_000;
/** The drain and the checkpoint together; then the process ends regardless. */
const STOP_TIMEOUT_MS = 60_000;

async function main(): Promise<number> {
  const stopping = stopRequested();
  armFailpoint(process.env);
  const configuration = readConfiguration();
  const options = { level: configuration.logLevel, base: { process: 'worker' } };
  const log = pino(options, logDestination());
  const metrics = createMetrics('worker');
  const tracing = await startTracing('worker', process.env, log);
  const tally = new WorkTally();
  const observers = tracing === undefined ? [] : [tracing.observer];
  const observer = observing([metrics.observer, tally.observer, ...observers], log);
  const collections = await loadCollections();
  const worker = new WorkerProcess({
    ...{ configuration, collections, log, observer },
    work: () => tally.now,
  });
  const facts = new WorkerFacts(worker, worker.pool, log);
  const health = await startHealthServer({
    host: configuration.host,
    port: configuration.workerPort,
    readiness: async () => readinessOf(await worker.report()),
    metrics: {
      contentType: metrics.contentType,
      text: () => metrics.text(facts.now()),
      credentials: await metricsCredentials(configuration, log),
      refused: metrics.requests.refused,
    },
  });
  worker.start();
  facts.start();
  const why = await stopping;
  log.info({}, `Stopping: ${why}.`);
  const deadline = setTimeout(() => {
    process.stderr.write(`The worker did not stop within ${STOP_TIMEOUT_MS} ms.\n`);
    process.exit(1);
  }, STOP_TIMEOUT_MS);
  // A server that hangs under a read for the metrics must not use up the drain's time.
  const measured = facts.stop();
  const unclean = await stopOf(worker);
  await measured;
  await health.close();
  await tracing?.stop();
  clearTimeout(deadline);
  if (unclean === undefined) return 0;
  log.error({ error: unclean }, `Stopped, but not cleanly: ${unclean}`);
  return EXIT_UNCLEAN;
}

/** A worker whose data folder can't hold the tokens works all the same; nobody reads its metrics then. */
async function metricsCredentials(configuration: Configuration, log: Log): Promise<Credentials> {
  const { dataDir, clientTokens: configured } = configuration;
  try {
    const clients = await ClientTokens.open({ path: tokenFilePath(dataDir), configured, log });
    return new Credentials({ operatorToken: await operatorToken(configuration, log), clients });
  } catch (error) {
    log.warn({ error: sentenceOf(error) }, `/metrics answers nobody: ${sentenceOf(error)}`);
    return new Credentials({});
  }
}

/** @returns one sentence when the stop was not a clean one */
async function stopOf(worker: WorkerProcess): Promise<string | undefined> {
  try {
    await worker.stop({ drainTimeoutMs: DRAIN_TIMEOUT_MS });
    return undefined;
  } catch (error) {
    if (isTandemError(error)) return error.message;
    throw error;
  }
}

/** The sentence goes to standard error as it is: it is for whoever started this. */
function fail(error: unknown): number {
  if (isTandemError(error, 'configuration')) {
    process.stderr.write(`${error.message}\n`);
    return EXIT_CONFIGURATION;
  }
  process.stderr.write(`${error instanceof Error ? error.stack : sentenceOf(error)}\n`);
  return 1;
}

process.exit(await main().catch(fail));
