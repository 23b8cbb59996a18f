import { collectDefaultMetrics, Registry } from '@prometheus-io/client';
import type { Observer } from '@tandem/storage/observer';
import type { ProcessKind } from '@tandem/storage/phase';
import { observerOf, type RequestMeter, requestMeter, workMetrics } from './counted.ts';
import { type ProcessFacts, standingGauges } from './standing.ts';

/** Everything one process measures of itself. */
export interface Metrics {
  /** Told of work as it is done. */
  readonly observer: Observer;
  readonly requests: RequestMeter;
  readonly contentType: string;
  /** All metrics as Prometheus text. Nothing is asked of another process: what PostgreSQL knows is in
   *  the facts, with its age. */
  text(facts: ProcessFacts): Promise<string>;
}

/**
 * Makes the metrics of this process, with those of Node itself; each line says which `process` it is.
 * @param collections names, whose rare events are counted from 0 on: of the process that has them
 */
export function createMetrics(name: ProcessKind, collections: readonly string[] = []): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ process: name });
  collectDefaultMetrics({ register: registry });
  const work = workMetrics(registry, collections);
  const show = standingGauges(registry);
  return {
    observer: observerOf(work),
    requests: requestMeter(registry, collections),
    contentType: registry.contentType,
    text(facts) {
      show(facts);
      return registry.metrics();
    },
  };
}
