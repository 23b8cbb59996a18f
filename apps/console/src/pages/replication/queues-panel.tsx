import type { Snapshot } from '@tandem/telemetry/snapshot';
import { count } from '../../format.ts';
import { Badge } from '../../parts/badge.tsx';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Panel } from '../../parts/panel.tsx';

interface QueueRow {
  readonly name: string;
  readonly waiting: number;
  readonly active: number | null;
  readonly deadLetters: number | null;
}

const COLUMNS: readonly TableColumn<QueueRow>[] = [
  { name: 'Where', cell: ({ name }) => <code>{name}</code> },
  { name: 'Waiting', cell: ({ waiting }) => count(waiting), isNumber: true },
  { name: 'In hand', cell: ({ active }) => count(active), isNumber: true },
  { name: 'Dead letters', cell: ({ deadLetters }) => count(deadLetters), isNumber: true },
];

/** Where changes wait: the journal before the relay, and the queues. */
export function QueuesPanel({ of: { queues, journalPending, api } }: { of: Snapshot }) {
  const { relay } = api.dependencies;
  const rows: QueueRow[] = [
    ...(journalPending === null
      ? []
      : [{ name: 'journal', waiting: journalPending, active: null, deadLetters: null }]),
    ...Object.entries(queues ?? {}).map(([name, queue]) => ({ name, ...queue })),
  ];
  return (
    <Panel
      title="Where changes wait"
      note={
        relay !== undefined &&
        relay.status !== 'unused' && (
          <Badge tone={relay.status === 'up' ? 'good' : 'warn'}>relay {relay.status}</Badge>
        )
      }
    >
      {relay?.detail !== undefined && <p>{relay.detail}</p>}
      {rows.length === 0 ? (
        <EmptyState title="The queues could not be read yet." />
      ) : (
        <DataTable caption="Queues" columns={COLUMNS} rows={rows} keyOf={({ name }) => name} />
      )}
    </Panel>
  );
}
