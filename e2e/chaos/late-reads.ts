//   PostgreSQL primary ──W──▶ JSON primary        W: the manifest's commit
//        an api that does not get the JSON store reads PostgreSQL until its next look at the phase;
//        one that slept across W, until its first look after it
import type { Operation } from './history.ts';
import type { Span } from './member.ts';

/**
 * An api looks at the phase four times a second and waits for a silent server for one; the rest is for
 * a machine that has more to do than it can.
 */
const NOTICED_MS = 3_000;

export interface LateReads {
  /** When JSON became the primary, ascending. */
  readonly toJsonMs: readonly number[];
  /** When each api was asleep, by its name. */
  readonly sleeps: ReadonlyMap<string, readonly Span[]>;
}

/**
 * Since when what a read told may have been true: its beginning, but for reads of an api that may not
 * have known yet that JSON is the primary. No write is ever late (I3). Pure.
 */
export function seenFromMs(
  { startMs, endMs, via }: Pick<Operation, 'startMs' | 'endMs' | 'via'>,
  { toJsonMs, sleeps }: LateReads,
): number {
  const asleep = via === undefined ? [] : (sleeps.get(via) ?? []);
  const unnoticed = toJsonMs.find((sinceMs) => {
    if (sinceMs > endMs) return false;
    return startMs < noticedMs(sinceMs, asleep);
  });
  return Math.min(startMs, unnoticed ?? startMs);
}

/** By when an api knows of what happened at a moment. */
const noticedMs = (atMs: number, asleep: readonly Span[]): number =>
  asleep.reduce(
    (byMs, { fromMs, toMs }) => (fromMs < byMs && toMs > atMs ? toMs + NOTICED_MS : byMs),
    atMs + NOTICED_MS,
  );

const READS: readonly string[] = ['read', 'list'];

/** The operations of several apis, with reads that may be late marked as such. */
export const withLateReads = (
  operations: readonly Operation[],
  late: LateReads,
): readonly Operation[] =>
  operations.map((operation) => {
    if (!READS.includes(operation.call.kind) || operation.outcome !== 'ok') return operation;
    const fromMs = seenFromMs(operation, late);
    return fromMs < operation.startMs ? { ...operation, seenFromMs: fromMs } : operation;
  });
