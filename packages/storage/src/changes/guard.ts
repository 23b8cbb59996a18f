import { compareStamps, type Stamp } from './stamp.ts';

/** What applying a change to a stored state does. */
export type Verdict =
  /** It is newer: store it. */
  | 'apply'
  /** It is known already, or older: nothing to do. */
  | 'no-op'
  /** The same stamp with other content: both sides are kept for a decision. */
  | 'conflict'
  /** Newer than the stored state, yet not computed from it or from a successor of it. */
  | 'fork';

/** A stored state as the guard sees it; a tombstone's text is `null`. */
export interface StoredState extends Stamp {
  readonly text: string | null;
}

interface IncomingChange extends Stamp {
  readonly base: Stamp | null;
  readonly record: string | null;
}

/**
 * The version guard (I4): decides what an incoming change means for the stored state. It needs no
 * order of arrival: of any shuffled, repeated set of changes of one chain, the newest state remains.
 *
 * Along one chain every change's base is its direct predecessor. A stored state of the same chain
 * that is older than the incoming change is therefore at or below its base; one above the base
 * belongs to another chain, and so does one that
 * has seen as many changes in an older epoch: along a chain versions only grow.
 *
 * A later change of the other chain hides a fork when the first one was skipped. Two stores that may
 * have forked (the brake, a restored backup) are therefore compared by difference before anything
 * queued is applied.
 */
export function judge(incoming: IncomingChange, stored: StoredState | undefined): Verdict {
  if (stored === undefined) return 'apply';
  const order = compareStamps(incoming, stored);
  if (order === 0) return incoming.record === stored.text ? 'no-op' : 'conflict';
  if (order < 0) return 'no-op';
  if (stored.version >= incoming.version) return 'fork';
  if (incoming.base === null || compareStamps(stored, incoming.base) > 0) return 'fork';
  return 'apply';
}
