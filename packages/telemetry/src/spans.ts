//   POST /api/v1/expense          the request, in the api
//    ├─ journal commit            or: postgres commit, with the job in the same transaction
//    ├─ enqueue write-to-postgres the relay, once it has the change (JSON primary)
//    └─ apply write-to-postgres   the worker
//
// Each is told of once it is over, so a span is made with the times it had; all hang on the request's
// own span, whose `traceparent` travels with the change.
import {
  type Attributes,
  type Context,
  DiagLogLevel,
  diag,
  type Span as OtelSpan,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, resourceFromAttributes } from '@opentelemetry/resources';
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { Item } from '@tandem/storage/changes';
import type { Log } from '@tandem/storage/log';
import type { Observer, Span } from '@tandem/storage/observer';
import type { ProcessKind } from '@tandem/storage/phase';
import { QUEUES } from '@tandem/storage/replication';
import type { Tracing } from './tracing.ts';

const STOP_TIMEOUT_MS = 3_000;
/** Spans that wait for the collector; more are dropped. */
const QUEUED_SPANS_MAX = 8_192;
const SEND_INTERVAL_MS = 5_000;

interface OpenTracingOptions {
  readonly name: ProcessKind;
  /** Of the collector, with its path. */
  readonly url: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly log: Log;
}

/** Opens the exporter; `tracing.ts` decides whether. */
export function openTracing({ name, url, environment, log }: OpenTracingOptions): Tracing {
  sayProblems(log);
  const provider = new TracerProvider({
    resource: defaultResource().merge(
      resourceFromAttributes({
        'service.namespace': 'tandem',
        'service.name': environment.OTEL_SERVICE_NAME ?? `tandem-${name}`,
      }),
    ),
    sampler: new ParentBasedSampler({
      root: new TraceIdRatioBasedSampler(numberIn(environment.OTEL_TRACES_SAMPLER_ARG, 1)),
    }),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url }),
        maxQueueSize: QUEUED_SPANS_MAX,
        scheduledDelayMillis: numberIn(environment.OTEL_BSP_SCHEDULE_DELAY, SEND_INTERVAL_MS),
      }),
    ],
  });
  const tracer = provider.getTracer('tandem');

  const done = (
    what: { readonly name: string; readonly kind: SpanKind; readonly attributes: Attributes },
    parent: string,
    { startedMs, endedMs }: Span,
  ): OtelSpan => {
    const { name: spanName, ...options } = what;
    // Numbers below the time origin are taken as of `performance.now()`, which these are.
    const span = tracer.startSpan(spanName, { ...options, startTime: startedMs }, within(parent));
    span.end(endedMs);
    return span;
  };

  const observer: Observer = {
    committed({ store, items, traces, ...span }) {
      const attributes = { 'tandem.store': store, 'tandem.batch.items': items };
      const what = {
        ...{ name: store === 'json' ? 'journal commit' : 'postgres commit', attributes },
        kind: SpanKind.INTERNAL,
      };
      for (const parent of traces) done(what, parent, span);
    },
    relayed({ items, ...span }) {
      const kind = SpanKind.PRODUCER;
      for (const { parent, attributes } of tracedChanges(items)) {
        done({ name: `enqueue ${QUEUES.postgres}`, kind, attributes }, parent, span);
      }
    },
    applied({ direction, jobs, startedMs, endedMs }) {
      const kind = SpanKind.CONSUMER;
      for (const { item, end } of jobs) {
        const [change] = tracedChanges(item === undefined ? [] : [item]);
        if (change === undefined) continue;
        const attributes = { ...change.attributes, 'tandem.end': end };
        const what = { name: `apply ${QUEUES[direction]}`, kind, attributes };
        done(what, change.parent, { startedMs, endedMs });
      }
    },
    failed: () => {},
    shadowRead: () => {},
    checkpointed: () => {},
    switched: () => {},
  };

  return {
    observer,
    begin({ method, traceparent }) {
      const parent = traceparent === undefined ? ROOT_CONTEXT : within(traceparent);
      const span = tracer.startSpan(method, { kind: SpanKind.SERVER }, parent);
      return {
        traceparent: traceparentOf(span),
        end({ route, status }) {
          span.updateName(`${method} ${route}`);
          span.setAttributes({
            'http.request.method': method,
            'http.route': route,
            'http.response.status_code': status,
          });
          if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end();
        },
      };
    },
    async stop() {
      const late = new Promise<void>((settle) => setTimeout(settle, STOP_TIMEOUT_MS).unref());
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
    },
  };
}

/** One change stands for its write: a key that came with it says nothing more. */
function tracedChanges(
  items: readonly Item[],
): { readonly parent: string; readonly attributes: Attributes }[] {
  return items.flatMap((item) => {
    if (item.kind !== 'change' || item.trace === undefined) return [];
    const { collection, id, epoch, version, op } = item.change;
    const attributes = {
      'tandem.collection': collection,
      'tandem.record.id': id,
      'tandem.epoch': epoch,
      'tandem.version': version,
      'tandem.op': op,
    };
    return [{ parent: item.trace, attributes }];
  });
}

/** The context of a `traceparent` of version 00; the root's if it is none. */
function within(traceparent: string): Context {
  const [version, traceId = '', spanId = '', flags = ''] = traceparent.split('-');
  const spanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
  if (version !== '00' || !trace.isSpanContextValid(spanContext)) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, spanContext);
}

function traceparentOf(span: OtelSpan): string | undefined {
  const { traceId, spanId, traceFlags } = span.spanContext();
  if ((traceFlags & TraceFlags.SAMPLED) === 0) return undefined;
  return `00-${traceId}-${spanId}-01`;
}

const numberIn = (text: string | undefined, otherwise: number): number => {
  const number = Number(text);
  return text === undefined || text.trim() === '' || Number.isNaN(number) ? otherwise : number;
};

/** A collector that is away is said once; what the exporter says after that is debug. */
function sayProblems(log: Log): void {
  let isSaid = false;
  const problem = (sentence: string): void => {
    log[isSaid ? 'debug' : 'warn']({ problem: sentence }, `Traces: ${sentence}`);
    isSaid = true;
  };
  const ignore = (): void => {};
  diag.setLogger(
    { error: problem, warn: problem, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}
