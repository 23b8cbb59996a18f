import type { Log } from '@tandem/storage/log';
import type { Observer } from '@tandem/storage/observer';
import type { ProcessKind } from '@tandem/storage/phase';

/** A request while it is traced. */
export interface TracedRequest {
  /** What its changes carry; `undefined` when this request was not sampled. */
  readonly traceparent: string | undefined;
  /** @param answered.route as it is declared, never a path that was sent */
  end(answered: { readonly route: string; readonly status: number }): void;
}

/** Sends spans to a collector. Nothing waits for it: what it can't send in time is dropped. */
export interface Tracing {
  readonly observer: Observer;
  /** @param request.traceparent the caller's header, if it sent one */
  begin(request: {
    readonly method: string;
    readonly traceparent: string | undefined;
  }): TracedRequest;
  /** Sends what is left, within seconds. */
  stop(): Promise<void>;
}

/** Where spans go, by the specification's two variables: the one for traces is taken as it is. */
function endpointOf(environment: NodeJS.ProcessEnv): string | undefined {
  const own = environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?.trim();
  if (own) return own;
  const base = environment.OTEL_EXPORTER_OTLP_ENDPOINT?.trim();
  return base ? `${base.replace(/\/$/, '')}/v1/traces` : undefined;
}

/** Where and how much to trace; the standard's own variables (`OTEL_…`), which the exporter reads too. */
export async function startTracing(
  name: ProcessKind,
  environment: NodeJS.ProcessEnv,
  log: Log,
): Promise<Tracing | undefined> {
  const url = endpointOf(environment);
  if (url === undefined || environment.OTEL_SDK_DISABLED === 'true') return undefined;
  // Loaded only here: without an endpoint there is not even the code in memory.
  const { openTracing } = await import('./spans.ts');
  return openTracing({ name, url, environment, log });
}
