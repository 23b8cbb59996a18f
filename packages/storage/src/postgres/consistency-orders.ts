import type { Pool } from 'pg';
import type {
  ConsistencyOrder,
  ConsistencyOrders,
  OrderScope,
} from '../consistency/consistency-orders.ts';
import { auditLog } from './audit-log.ts';
import { translated } from './failure.ts';
import { boundsStatement } from './locks.ts';
import { isoInstant } from './phase-row.ts';
import { type Row, rows, transaction } from './transaction.ts';

/** A holder says at least this often that it works on an order; one that does not has died. */
const SILENT_SECONDS = 20;

const KEPT_DAYS = 90;

const COLUMNS = `id, scope, actor, reason, ${isoInstant('asked_at')}, ${isoInstant('finished_at')},
  state, taken_by, progress, result`;

const TAKE = `
  UPDATE consistency_orders SET state = 'taken', taken_by = $1, alive_at = now()
  WHERE id = (
    SELECT id FROM consistency_orders
    WHERE state = 'waiting'
      OR (state = 'taken' AND alive_at < now() - ${SILENT_SECONDS} * interval '1 second')
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
  RETURNING ${COLUMNS}`;

// Whoever fell silent may wake up later: the order is another's by then.
const HELD = `id = $1 AND taken_by = $2 AND state = 'taken'`;

/** The table `consistency_orders`. */
export function consistencyOrders(pool: Pool): ConsistencyOrders {
  const ask = async (text: string, values: readonly unknown[]): Promise<readonly Row[]> =>
    translated(rows(pool, text, values));
  return {
    place: ({ what, actor, reason }) =>
      translated(
        transaction(pool, [boundsStatement()], async (client) => {
          await rows(
            client,
            `DELETE FROM consistency_orders
             WHERE finished_at < now() - ${KEPT_DAYS} * interval '1 day'`,
          );
          const [row] = await rows(
            client,
            `INSERT INTO consistency_orders (kind, asked_at, actor, reason, scope)
             VALUES ($1, now(), $2, $3, $4) RETURNING id`,
            [what.kind, actor, reason, JSON.stringify(what)],
          );
          const id = row?.[0] as number;
          if (changesSomething(what)) {
            const details = { order: id, ...what };
            await auditLog.record(client, { actor, action: what.kind, reason, details });
          }
          return id;
        }),
      ),

    async read(id) {
      const [row] = await ask(`SELECT ${COLUMNS} FROM consistency_orders WHERE id = $1`, [id]);
      return row === undefined ? undefined : orderOf(row);
    },

    async list(kind, limit) {
      const found = await ask(
        `SELECT ${COLUMNS} FROM consistency_orders WHERE kind = $1 ORDER BY id DESC LIMIT $2`,
        [kind, limit],
      );
      return found.map(orderOf);
    },

    async take(holder) {
      const [row] = await ask(TAKE, [holder]);
      return row === undefined ? undefined : orderOf(row);
    },

    async tell({ id, takenBy }, progress) {
      await ask(`UPDATE consistency_orders SET alive_at = now(), progress = $3 WHERE ${HELD}`, [
        id,
        takenBy,
        JSON.stringify(progress),
      ]);
    },

    async finish({ id, takenBy }, state, result) {
      await ask(
        `UPDATE consistency_orders SET state = $3, result = $4, finished_at = now() WHERE ${HELD}`,
        [id, takenBy, state, JSON.stringify(result)],
      );
    },

    withdraw: (id, { actor, reason }) =>
      translated(
        transaction(pool, [boundsStatement()], async (client) => {
          const [gone] = await rows(
            client,
            `UPDATE consistency_orders SET state = 'withdrawn', finished_at = now()
             WHERE id = $1 AND state = 'waiting' RETURNING scope`,
            [id],
          );
          if (gone === undefined) return false;
          const details = { order: id, ...JSON.parse(String(gone[0])) };
          await auditLog.record(client, { actor, action: 'withdraw-order', reason, details });
          return true;
        }),
      ),
  };
}

const changesSomething = (what: OrderScope): boolean =>
  what.kind === 'backfill' || (what.kind === 'repair' && !what.dryRun);

function orderOf(row: Row): ConsistencyOrder {
  const [id, what, actor, reason, askedAt, finishedAt, state, takenBy, progress, result] = row;
  const parsed = (text: unknown) => (text === null ? null : JSON.parse(String(text)));
  return {
    ...{ id, actor, reason, askedAt, finishedAt, state, takenBy },
    ...{ what: parsed(what), progress: parsed(progress), result: parsed(result) },
  } as ConsistencyOrder;
}
