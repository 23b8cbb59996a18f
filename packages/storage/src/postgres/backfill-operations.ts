import type { Pool } from 'pg';
import type { ConsistencyOrder } from '../consistency/consistency-orders.ts';
import {
  type BackfillOperations,
  type BackfillOrder,
  followerIn,
  type LiveProcess,
  type Phase,
  runningIn,
  secondaryOf,
} from '../phase/index.ts';
import { consistencyOrders } from './consistency-orders.ts';

/** Orders shown in a report. */
const SHOWN_ORDERS = 10;

export interface BackfillOptions {
  readonly pool: Pool;
  readonly look: () => Promise<{
    readonly effective: Phase;
    readonly catchUpSince: string | null;
    readonly live: readonly LiveProcess[];
  }>;
}

/** Backfills over the table of orders: whoever holds the JSON store takes them. */
export function backfillOperations({ pool, look }: BackfillOptions): BackfillOperations {
  const orders = consistencyOrders(pool);
  return {
    async backfills() {
      const { effective, catchUpSince, live } = await look();
      const asked = (await orders.list('backfill', SHOWN_ORDERS)).map(backfillOf);
      const towards = secondaryOf(effective);
      return { effective, towards, catchUpSince, running: runningIn(live), asked };
    },

    async backfill(id) {
      const order = await orders.read(id);
      return order?.what.kind === 'backfill' ? backfillOf(order) : undefined;
    },

    async askBackfill({ actor, reason, dryRun = false }) {
      const { effective, live } = await look();
      const towards = followerIn(effective);
      const warnings =
        live.length > 0 ? [] : ['No api or worker runs: it is done when they are started.'];
      const [open] = await orders.list('backfill', 1);
      const joined = open?.state === 'waiting' || open?.state === 'taken';
      const shared = { effective, towards, joined, warnings };
      if (dryRun) return { order: null, ...shared };
      if (joined) return { order: open.id, ...shared };
      const order = await orders.place({ what: { kind: 'backfill' }, actor, reason });
      return { order, ...shared };
    },
  };
}

function backfillOf(order: ConsistencyOrder): BackfillOrder {
  const { id, actor, reason, askedAt, finishedAt, takenBy, state, progress, result } = order;
  return {
    ...{ id, actor, reason, askedAt, finishedAt, takenBy, state, progress },
    result: result !== null && 'applied' in result ? result : null,
    problem: result !== null && 'problem' in result ? result.problem : null,
  };
}
