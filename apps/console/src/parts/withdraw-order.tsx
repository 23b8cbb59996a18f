import { send } from '../api/client.ts';
import { ActDialog } from './act-dialog.tsx';
import type { TableColumn } from './data-table.tsx';

/** What an order of any kind has. */
interface Order {
  readonly id: number;
  readonly state: string;
}

/** Columns of a list of orders: one more where one of them can still be withdrawn. */
export function withWithdrawal<Row extends Order>(
  columns: readonly TableColumn<Row>[],
  orders: readonly Row[],
  ask: (id: number) => void,
): readonly TableColumn<Row>[] {
  if (!orders.some(({ state }) => state === 'waiting')) return columns;
  const column: TableColumn<Row> = {
    name: 'Act',
    isNameHidden: true,
    cell: ({ id, state }) =>
      state === 'waiting' && (
        <button type="button" class="secondary outline" onClick={() => ask(id)}>
          Withdraw<span class="only-read"> order {id}</span> …
        </button>
      ),
  };
  return [...columns, column];
}

/** Takes back an order that no process has taken. */
export function WithdrawDialog({
  id,
  close,
  done,
}: {
  id: number;
  close: () => void;
  done?: () => void;
}) {
  return (
    <ActDialog
      title={`Withdraw order ${id}`}
      verb="Withdraw"
      close={close}
      act={async (reason) => {
        await send('DELETE', `/orders/${id}`, { reason });
        done?.();
        return `Order ${id} is withdrawn.`;
      }}
    >
      <p>No process has taken it yet. Once one has, it is carried out, and this is refused.</p>
    </ActDialog>
  );
}
