export type { RequestMeter } from './counted.ts';
export { type DatabaseFacts, readDatabaseFacts } from './database-facts.ts';
export { logDestination } from './log-destination.ts';
export { createMetrics, type Metrics } from './metrics.ts';
export { observing } from './observing.ts';
export { Sampled, type SampledOptions } from './sampled.ts';
export type { ProcessFacts } from './standing.ts';
export { startTracing, type TracedRequest, type Tracing } from './tracing.ts';
export { WorkTally } from './work-tally.ts';
