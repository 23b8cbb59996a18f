import { signal } from '@preact/signals';
import type { ConsistencyOrder, RepairResult } from '@tandem/storage/consistency';
import { get, type Method, send } from '../../api/client.ts';
import { Problem } from '../../api/problem.ts';

/** Raised whenever something was ordered or withdrawn here: whoever lists orders reads again. */
export const ordersPlaced = signal(0);

const LOOK_INTERVAL_MS = 300;

export const isOver = ({ state }: ConsistencyOrder): boolean =>
  state === 'done' || state === 'failed' || state === 'withdrawn';

/** Orders something of the process that holds the JSON store. @throws {Problem} */
export async function placeOrder(path: string, body: object): Promise<ConsistencyOrder> {
  const order = await send<ConsistencyOrder>('POST' satisfies Method, path, body);
  ordersPlaced.value += 1;
  return order;
}

/**
 * Waits for the end of an order, `patienceMs` at most.
 * @returns it as it stands then
 * @throws {Problem}; the signal's reason
 */
export async function awaitOrder(
  placed: ConsistencyOrder,
  patienceMs: number,
  gone?: AbortSignal,
): Promise<ConsistencyOrder> {
  const untilMs = Date.now() + patienceMs;
  let order = placed;
  while (!isOver(order) && Date.now() < untilMs) {
    await new Promise((settle) => setTimeout(settle, LOOK_INTERVAL_MS));
    order = await get<ConsistencyOrder>(`/orders/${order.id}`, gone);
  }
  return order;
}

/**
 * What a dry run found. Nobody waits for one that was given up: it is withdrawn, unless a process has taken
 * it; then it ends by itself.
 * @throws {Problem}; the signal's reason
 */
export async function lookAt(
  path: string,
  body: object,
  patienceMs: number,
  gone: AbortSignal,
): Promise<RepairResult> {
  const placed = await send<ConsistencyOrder>('POST' satisfies Method, path, {
    ...body,
    dryRun: true,
  });
  let order = placed;
  try {
    order = await awaitOrder(placed, patienceMs, gone);
  } finally {
    if (order.state === 'waiting') {
      const reason = 'Nobody waits for it any more.';
      await send('DELETE', `/orders/${order.id}`, { reason }).catch(() => undefined);
    }
  }
  return repairResultOf(order);
}

/** What a repair did, or would do. @throws {Problem} when it is not over, or failed */
export function repairResultOf({ state, takenBy, result }: ConsistencyOrder): RepairResult {
  if (result !== null && 'matched' in result) return result;
  if (result !== null && 'problem' in result) throw new Problem(result.problem, 0);
  throw new Problem(
    takenBy === null
      ? 'No process has taken the order yet: the one that holds the JSON store would.'
      : `It is ${state}, in hand of ${takenBy}.`,
    0,
  );
}
