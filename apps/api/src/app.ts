import cors from '@fastify/cors';
import type { Collection } from '@tandem/storage/collections';
import type { RecordStore } from '@tandem/storage/store';
import { type ClientTokens, Credentials } from '@tandem/storage/tokens';
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import type { LoggerOptions } from 'pino';
import { answerClientError } from './client-error.ts';
import { access } from './guard/access.ts';
import { ConsoleSessions } from './guard/console-session.ts';
import { Door } from './guard/door.ts';
import { MemoryBound } from './guard/memory-bound.ts';
import { type RateLimits, rateLimits } from './guard/rate-limits.ts';
import { securityHeaders } from './guard/security-headers.ts';
import { apiDocumentation } from './plugins/api-documentation.ts';
import { type ConsolePageOptions, consolePage } from './plugins/console-page.ts';
import { type MeasuringOptions, measuring } from './plugins/measuring.ts';
import { pathMethods } from './plugins/path-methods.ts';
import { answerError, problems } from './plugins/problems.ts';
import { requestBodies } from './plugins/request-bodies.ts';
import type { Readiness } from './readiness.ts';
import { RequestLog, requestIdOf } from './request-log.ts';
import { RequestLogger } from './request-logger.ts';
import { type AuditOptions, audit } from './routes/audit.ts';
import { type ConsistencyRoutesOptions, consistency } from './routes/consistency.ts';
import { type DeadLetterRoutesOptions, deadLetters } from './routes/dead-letters.ts';
import { type ExternalEditOptions, externalEdits } from './routes/external-edits.ts';
import { type MetricsOptions, metrics } from './routes/metrics.ts';
import { type MigrationOptions, migration } from './routes/migration.ts';
import { probes } from './routes/probes.ts';
import { problemPages } from './routes/problem-pages.ts';
import { records } from './routes/records.ts';
import { session } from './routes/session.ts';
import { type SnapshotOptions, snapshot } from './routes/snapshot.ts';

export interface AppOptions {
  readonly collections: readonly Collection[];
  /**
   * The store that serves now; asked once a request.
   * @throws {TandemError} `unavailable`, `not-primary` (503)
   */
  readonly primary: () => RecordStore;
  readonly readiness: () => Readiness | Promise<Readiness>;
  /** A pino logger, or options for one. */
  readonly log: FastifyBaseLogger | LoggerOptions;
  /** `CORS_ORIGIN`: origins separated by commas, or `*`; without it no CORS header is sent. */
  readonly corsOrigin?: string | undefined;
  /** Who is let in; without it nobody is an operator, and clients need no token. */
  readonly access?: {
    /** What operators send as `Authorization: Bearer …`. */
    readonly operatorToken?: string;
    readonly clients?: ClientTokens;
    /** `ALLOW_ANONYMOUS_CLIENTS` */
    readonly allowAnonymous?: boolean;
  };
  /** `TRUSTED_PROXIES`: who may say by X-Forwarded-For whom a request is from. */
  readonly trustedProxies?: readonly string[];
  /** Of the record routes; without it there are none. */
  readonly rateLimits?: RateLimits;
  /** `MEMORY_LIMIT` */
  readonly memoryLimitBytes?: number | undefined;
  /** The operators' routes; without it there are none. */
  readonly migration?: MigrationOptions;
  /** The operators' routes on dead letters and single records; without it there are none. */
  readonly deadLetters?: DeadLetterRoutesOptions;
  readonly consistency?: ConsistencyRoutesOptions;
  readonly externalEdits?: ExternalEditOptions;
  readonly audit?: AuditOptions;
  readonly snapshot?: SnapshotOptions;
  /** Where the console is built; without it there is no such page. */
  readonly console?: ConsolePageOptions;
  /** Measures requests; without it nothing is measured. */
  readonly measuring?: MeasuringOptions;
  /** Serves `/metrics`; without it there is no such route. */
  readonly metrics?: MetricsOptions;
  readonly bodyLimitBytes?: number;
  /** A whole request has arrived in this time, or is refused and its connection closed. */
  readonly requestTimeoutMs?: number;
  /** How long requests in flight may take when the app closes; then their connections are cut. */
  readonly closeGraceMs?: number;
  /** How long a connection may be silent in the middle of a request or an answer. */
  readonly silenceMs?: number;
}

/** Bytes of a request's body. */
const BODY_LIMIT_BYTES = 1_048_576;
/** One that trickles in must not keep the process from ending. */
const REQUEST_TIMEOUT_MS = 60_000;
/** A connection on which neither side gets a byte further is cut: whoever stops reading a list must not
 *  keep the store's snapshot for it. */
const SILENCE_MAX_MS = 120_000;
const CLOSE_GRACE_MS = 10_000;
/** Between looks for connections that have fallen idle while the server closes. */
const IDLE_CHECK_MS = 50;

const isLogger = (log: AppOptions['log']): log is FastifyBaseLogger =>
  'child' in log && typeof log.child === 'function';

/**
 * Builds the API without listening: `server.ts` listens, a test injects.
 *
 * While it closes, a request that comes on a kept-alive connection is still served, with
 * `Connection: close`; idle connections are closed at once, others as they fall idle or when the
 * grace is over.
 */
export async function build(options: AppOptions): Promise<FastifyInstance> {
  const { log, collections, primary, readiness, corsOrigin, trustedProxies = [] } = options;
  const requestTimeout = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
  const app: FastifyInstance = Fastify({
    ...(isLogger(log) ? { loggerInstance: log } : { logger: log }),
    logController: new RequestLog(),
    childLoggerFactory: (logger, bindings, given) => new RequestLogger(logger, bindings, given),
    requestIdHeader: false,
    genReqId: requestIdOf,
    bodyLimit: options.bodyLimitBytes ?? BODY_LIMIT_BYTES,
    requestTimeout,
    ...(trustedProxies.length === 0 ? {} : { trustProxy: [...trustedProxies] }),
    connectionTimeout: options.silenceMs ?? SILENCE_MAX_MS,
    http: {
      // One that is longer than the whole request's would take its place.
      headersTimeout: requestTimeout,
      // How often Node looks for requests that are late.
      connectionsCheckingInterval: requestTimeout / 2,
    },
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => {
      reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
      answerError(error, request, reply);
    },
  });

  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
    done();
  });
  // An expectation that is not known is no reason to refuse a request (RFC 9110, section 10.1.1).
  app.server.on('checkExpectation', (request, response) =>
    app.server.emit('request', request, response),
  );
  boundClosing(app, options.closeGraceMs ?? CLOSE_GRACE_MS);
  if (options.measuring !== undefined) await app.register(measuring, options.measuring);
  const { operatorToken } = options.access ?? {};
  const sessions = operatorToken === undefined ? undefined : new ConsoleSessions(operatorToken);
  const credentials = new Credentials(options.access ?? {});
  const { allowAnonymous } = options.access ?? {};
  const onRefused = options.measuring?.requests.refused;
  const door = new Door({ credentials, sessions, allowAnonymous, onRefused });
  await app.register(access, { door, memory: boundMemory(app, options.memoryLimitBytes) });
  const limits = options.rateLimits ?? {};
  if ((limits.reads ?? limits.writes) !== undefined)
    await app.register(rateLimits, { door, limits });
  await app.register(securityHeaders);
  await app.register(problems);
  await app.register(pathMethods);
  await app.register(requestBodies);
  if (corsOrigin !== undefined) await app.register(cors, corsOptions(corsOrigin));
  await app.register(apiDocumentation);
  probes(app, readiness);
  problemPages(app);
  if (options.metrics !== undefined) metrics(app, options.metrics);
  if (sessions !== undefined) session(app, { sessions, credentials });
  if (options.migration !== undefined) migration(app, options.migration);
  if (options.deadLetters !== undefined) deadLetters(app, options.deadLetters);
  if (options.consistency !== undefined) consistency(app, options.consistency);
  if (options.externalEdits !== undefined) externalEdits(app, options.externalEdits);
  if (options.audit !== undefined) audit(app, options.audit);
  if (options.snapshot !== undefined) snapshot(app, options.snapshot);
  if (options.console !== undefined) await app.register(consolePage, options.console);
  records(app, collections, primary);
  return app;
}

function boundMemory(app: FastifyInstance, limitBytes: number | undefined): MemoryBound {
  const memory = new MemoryBound(limitBytes, app.log);
  memory.start();
  app.addHook('onClose', async () => memory.stop());
  return memory;
}

/**
 * Closing ends idle connections once, at its beginning. One that was answering then (a streamed list,
 * a refused body that still arrives) has told its client nothing and would stay open, idle, for over
 * a minute; one whose client has stopped reading, for ever.
 */
function boundClosing(app: FastifyInstance, graceMs: number): void {
  app.addHook('preClose', (done) => {
    const { server } = app;
    if (server.listening) {
      const idle = setInterval(() => server.closeIdleConnections(), IDLE_CHECK_MS);
      const grace = setTimeout(() => {
        app.log.warn({ graceMs }, 'Connections that still had requests were cut.');
        server.closeAllConnections();
      }, graceMs);
      server.once('close', () => {
        clearInterval(idle);
        clearTimeout(grace);
      });
    }
    done();
  });
}

const corsOptions = (origin: string) => ({
  origin: origin.trim() === '*' ? '*' : origin.split(',').map((one) => one.trim()),
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  // A plain OPTIONS is no mistake.
  strictPreflight: false,
  exposedHeaders: ['ETag', 'Link', 'Retry-After', 'X-Request-Id'],
});
