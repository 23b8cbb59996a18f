import { setTimeout as sleep } from 'node:timers/promises';
import { describeProgress, type Progress } from '@tandem/storage/consistency';
import type { BackfillOrder, MigrationOperations } from '@tandem/storage/phase';

const LOOK_INTERVAL_MS = 250;
const SAY_INTERVAL_MS = 2_000;

/**
 * Waits until an order is done, failed or withdrawn. A process that dies meanwhile does not end it: the
 * next one that holds the JSON store goes on with what is missing.
 * @param say told now and then how far it is, or what it waits for
 */
export async function backfilled(
  operations: MigrationOperations,
  id: number,
  say: (sentence: string) => void,
): Promise<BackfillOrder> {
  let sayAtMs = performance.now() + SAY_INTERVAL_MS;
  for (;;) {
    const order = await operations.backfill(id);
    if (order === undefined) throw new Error(`The order ${id} is gone.`);
    if (order.state !== 'waiting' && order.state !== 'taken') return order;
    if (performance.now() > sayAtMs) {
      sayAtMs = performance.now() + SAY_INTERVAL_MS;
      say(await standingOf(order, operations));
    }
    await sleep(LOOK_INTERVAL_MS);
  }
}

/** What the order itself tells; before that, what the catch-up tells that began by itself. */
async function standingOf(
  { progress, takenBy }: BackfillOrder,
  operations: MigrationOperations,
): Promise<string> {
  const [running] = (await operations.backfills()).running;
  const own = progress !== null && 'perSecond' in progress ? progress : undefined;
  const told: Progress | undefined = own ?? running;
  if (told !== undefined) return `Backfill: ${describeProgress(told)}`;
  return takenBy === null
    ? 'Backfill: nobody holds the JSON store in a dual phase yet.'
    : `Backfill: ${takenBy} has taken it.`;
}
