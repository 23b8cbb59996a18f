import {
  type BackfillResult,
  bringUpToDate,
  type Difference,
  type Progress,
} from '../consistency/index.ts';
import type { Observer } from '../observer.ts';
import type { Store } from '../store.ts';
import type { GateFacts } from './gates.ts';
import type { PhaseGuard } from './phase-state.ts';
import type { Phase } from './phases.ts';
import { standingDifferences } from './standing-differences.ts';
import type { SwitchContext } from './switch-context.ts';
import { DeadlineMissed, type SwitchMachine } from './switch-machine.ts';

/** From the seal until the commit; requests wait that long at most, then the seal is lifted. */
export const PAUSE_TIMEOUT_MS = 5_000;

/** What a switch under live requests needs beyond one at start. */
export interface LiveContext extends SwitchContext {
  /** Measured now. */
  readonly facts: () => Promise<GateFacts>;
  /** Aborts when the process stops: a switch that has not reached its commit is undone. */
  readonly signal: AbortSignal;
  readonly machine: SwitchMachine;
  /** The phase that rows of the flags' table ask for, resolved as this process does. */
  readonly desiredBy: (rows: Parameters<PhaseGuard>[0]) => Phase;
  readonly observer?: Observer;
  /** From the seal until the commit, {@link PAUSE_TIMEOUT_MS} if not given. */
  readonly pauseTimeoutMs?: number;
}

/**
 * Brings the target up while the source is being written, and looks twice at what differs then.
 * @returns why it is not complete, in one sentence; `undefined` when it is
 */
export async function catchUpLive(
  context: SwitchContext,
  source: Store,
  target: Store,
): Promise<string | undefined> {
  return (await bringUpLive(context, source, target)).rest ?? undefined;
}

/**
 * The same, told as what it did and what it left.
 * @throws whatever the stores throw; the signal's reason
 */
export async function bringUpLive(
  context: SwitchContext,
  source: Store,
  target: Store,
  onProgress: (progress: Progress) => void = () => {},
): Promise<BackfillResult> {
  const { collections, now, queues, signal, watch } = context;
  const report = await bringUpToDate({
    ...{ source, target, collections, now, ...(signal && { signal }) },
    ...(watch && { watch, isLive: true }),
    onRejected: (changes) => queues.enqueueRejected(target.name, changes),
    onProgress: () => {
      if (watch?.current !== undefined) onProgress(watch.current);
    },
  });
  const standing = await standingDifferences(source, target, collections, report);
  const unlisted = report.remaining - report.differences.length;
  const { seen, applied } = report;
  const remaining = standing.length + unlisted;
  if (remaining === 0) return { seen, applied, remaining, rest: null };
  const rest = `${target.name} does not hold all that ${source.name} holds: ${sentenceAbout(standing, unlisted)}`;
  return { seen, applied, remaining, rest };
}

function sentenceAbout(standing: readonly Difference[], unlisted: number): string {
  const shown = standing
    .slice(0, 3)
    .map(({ collection, id, kind }) => `${collection} ${id} (${kind})`);
  const more = standing.length - shown.length + unlisted;
  return `${shown.join(', ')}${more > 0 ? ` and ${more} more` : ''}.`;
}

/** A pause with a deadline: what is awaited through it fails once the deadline or a stop comes. */
export interface Pause {
  /** @throws the deadline's or the stop's error; what was begun goes on unattended, harmlessly */
  wait<T>(work: Promise<T>): Promise<T>;
  /** Since the pause began, in ms. */
  elapsedMs(): number;
}

export function beginPause({
  signal: stopping,
  pauseTimeoutMs: timeoutMs = PAUSE_TIMEOUT_MS,
}: Pick<LiveContext, 'signal' | 'pauseTimeoutMs'>): Pause {
  const beganMs = performance.now();
  const deadline = new AbortController();
  const timer = setTimeout(() => {
    const sentence = `The switch took longer than ${timeoutMs} ms and was undone.`;
    deadline.abort(new DeadlineMissed(sentence));
  }, timeoutMs);
  timer.unref();
  const signal = AbortSignal.any([stopping, deadline.signal]);
  const over = new Promise<never>((_, fail) => {
    if (signal.aborted) fail(signal.reason);
    else signal.addEventListener('abort', () => fail(signal.reason), { once: true });
  });
  // Whoever races with it looks at the race only.
  over.catch(() => undefined);
  return {
    wait: (work) => {
      work.catch(() => undefined);
      return Promise.race([over, work]);
    },
    elapsedMs: () => Math.round(performance.now() - beganMs),
  };
}
