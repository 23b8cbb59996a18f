import { setTimeout as sleep } from 'node:timers/promises';
import { isTandemError } from '../errors.ts';
import { failureOf, isConnectionError, sqlStateOf } from './failure.ts';
import { SequenceBehind } from './id-sequence.ts';

/** How often the same work is begun again after standing in another transaction's way. */
const ATTEMPTS_MAX = 6;
/** Longest random pause before doing so: two that met should not meet again. */
const PAUSE_MAX_MS = 20;

const UNIQUE_VIOLATION = '23505';

/** Contention: a deadlock, a row that another transaction inserted under the same id meanwhile, or
 *  ids in use that the sequence lay behind (raised by then). */
const isContention = (error: unknown): boolean =>
  failureOf(error) === 'retry' ||
  error instanceof SequenceBehind ||
  (sqlStateOf(error) === UNIQUE_VIOLATION &&
    ((error as { constraint?: string }).constraint ?? '').endsWith('_pkey'));

/** Lost, as opposed to one whose server did not answer in time: that was waited for already. */
const isLostConnection = (error: unknown): boolean =>
  isConnectionError(error) && !/time(d )?out/i.test((error as Error).message);

/**
 * Does a transaction again while it meets contention, a bounded number of times; and once when its
 * connection proves dead, as pooled ones are after a server's restart. An unknown outcome is neither.
 */
export async function withRetries<T>(attempt: () => Promise<T>): Promise<T> {
  let connectionsLost = 0;
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt();
    } catch (error) {
      if (isLostConnection(error) && connectionsLost++ === 0) continue;
      if (attempts >= ATTEMPTS_MAX || !isContention(error)) throw error;
      await sleep(Math.random() * PAUSE_MAX_MS);
    }
  }
}

/** A data error, or a defect that one item brings out: halving a batch finds the item. */
const isOfOneItem = (error: unknown): boolean => {
  const failure = failureOf(error);
  return !isTandemError(error) && (failure === 'data' || failure === undefined);
};

/**
 * Runs a batch as one; when an item spoils it, its halves each on their own, in order, down to that
 * item. One bad item costs about 2·log2(n) transactions, and its neighbours go through.
 *
 * @param run commits a batch or throws, leaving nothing behind
 * @param alone the result of an item that fails by itself
 */
export async function isolating<T, R>(
  items: readonly T[],
  run: (items: readonly T[]) => Promise<readonly R[]>,
  alone: (item: T, error: unknown) => R,
): Promise<readonly R[]> {
  try {
    return await run(items);
  } catch (error) {
    if (items.length === 0 || !isOfOneItem(error)) throw error;
    if (items.length === 1) return [alone(items[0] as T, error)];
    const middle = Math.ceil(items.length / 2);
    const first = await isolating(items.slice(0, middle), run, alone);
    return [...first, ...(await isolating(items.slice(middle), run, alone))];
  }
}
