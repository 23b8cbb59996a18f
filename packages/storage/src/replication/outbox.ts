import type { Item } from '../changes/index.ts';
import type { JsonPosition } from '../phase/index.ts';

/** An item waiting in the journal. `seq` counts the outbox items of this store, from 1, without gaps. */
export interface OutboxEntry {
  readonly seq: number;
  readonly item: Item;
}

/** Port of the JSON store's journal as an outbox (JSON primary), implemented in `json/`. */
export interface Outbox {
  /** `seq` of the last item that is durable and that the store's reads show; 0 before the first. */
  head(): number;
  /** How far the store is, everything durable counted. */
  position(): JsonPosition;
  /**
   * Durable items with `seq > afterSeq`, in order, at most `limit`; fewer of large ones, but one at least
   * where there is one.
   * @throws {TandemError} `refused-to-open` when `afterSeq` lies before the oldest kept item: those
   *   were dropped under a *catch-up needed since* mark
   */
  read(afterSeq: number, limit: number): Promise<readonly OutboxEntry[]>;
  /** Says that everything up to `seq` is in the queue: the next checkpoint may drop it. */
  relayed(seq: number): void;
  /** The highest `seq` that was said to be in the queue, in this run or as of an earlier clean stop. */
  readonly relayedSeq: number;
  /** Resolves when `head() > afterSeq`, or when the signal aborts. */
  waitBeyond(afterSeq: number, signal: AbortSignal): Promise<void>;
}
