import { setTimeout as sleep } from 'node:timers/promises';
import type { ConsistencyOrder, OrderScope } from '@tandem/storage/consistency';
import { TandemError } from '@tandem/storage/errors';
import { consistencyOrders } from '@tandem/storage/postgres';
import type { Pool } from 'pg';

const LOOK_INTERVAL_MS = 200;
/** Whoever holds the JSON store looks for orders twice a second, unless it is busy with another. */
const TAKEN_TIMEOUT_MS = 15_000;
const PROGRESS_INTERVAL_MS = 2_000;

export interface Ordered {
  readonly what: OrderScope;
  readonly actor: string;
  readonly reason: string;
}

/**
 * Asks whoever holds the JSON store, and waits until it is done.
 * @param say told now and then how far it is
 * @throws {TandemError} `unavailable` when nobody takes the order (it is withdrawn then) or it fails
 */
export async function carriedOut(
  pool: Pool,
  ordered: Ordered,
  say: (sentence: string) => void,
): Promise<ConsistencyOrder> {
  const orders = consistencyOrders(pool);
  const id = await orders.place(ordered);
  const takenByMs = performance.now() + TAKEN_TIMEOUT_MS;
  let sayAtMs = performance.now() + PROGRESS_INTERVAL_MS;
  for (;;) {
    const order = await orders.read(id);
    if (order === undefined) throw new Error(`The order ${id} is gone.`);
    if (order.state === 'done') return order;
    if (order.state === 'failed' || order.state === 'withdrawn') throw notDone(order);
    const now = performance.now();
    if (order.state === 'waiting' && now > takenByMs) {
      const by = { actor: ordered.actor, reason: 'Nobody took it.' };
      if (await orders.withdraw(id, by)) throw new TandemError('unavailable', NOBODY);
    }
    if (now > sayAtMs && order.progress !== null) {
      sayAtMs = now + PROGRESS_INTERVAL_MS;
      say(`${order.takenBy}: ${order.progress.done} done`);
    }
    await sleep(LOOK_INTERVAL_MS);
  }
}

const NOBODY =
  'No process holds the JSON store in a dual phase, or it is busy with another order; nothing was done. Api and worker must run.';

function notDone({ result, state }: ConsistencyOrder): TandemError {
  const problem = result !== null && 'problem' in result ? result.problem : `It is ${state}.`;
  return new TandemError('unavailable', problem);
}
