export interface Written {
  readonly writes: number;
  readonly seconds: number;
  readonly perSecond: number;
  /** Milliseconds from asking to acknowledgement. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What latencies in milliseconds, of writes within so many seconds, come to. */
export function writtenOf(latencies: readonly number[], seconds: number): Written {
  const sorted = Float64Array.from(latencies).sort();
  const at = (part: number): number => sorted[Math.floor((sorted.length - 1) * part)] ?? 0;
  const { length: writes } = latencies;
  return {
    ...{ writes, seconds, perSecond: writes / seconds },
    ...{ p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) },
  };
}
