import type { KnownState } from '@tandem/storage/xray';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { JsonText } from '../../parts/json-text.tsx';
import { Panel } from '../../parts/panel.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { stampText } from '../../parts/stamp.ts';

const COLUMNS: readonly TableColumn<KnownState>[] = [
  { name: 'Version', cell: (state) => stampText(state) },
  {
    name: 'Made from',
    cell: ({ base }) => (base === undefined ? '–' : stampText(base, 'nothing')),
  },
  { name: 'By', cell: ({ op }) => op ?? <span class="quiet">not known</span> },
  {
    name: 'At',
    cell: ({ at }) =>
      at === null ? <span class="quiet">not known</span> : <RelativeTime at={at} />,
  },
  { name: 'Known from', cell: ({ knownFrom }) => knownFrom.join(', ') },
  {
    name: 'Content',
    cell: ({ record }) =>
      record === null ? 'deleted' : <JsonText summary="Show" value={record} />,
  },
];

/** Every state of the record that still stands anywhere. */
export function HistoryPanel({ history }: { history: readonly KnownState[] }) {
  return (
    <Panel title="Known history" note={<span class="quiet">newest first</span>}>
      {history.length === 0 ? (
        <EmptyState title="Nothing is known of it." />
      ) : (
        <DataTable
          caption="Known states"
          columns={COLUMNS}
          rows={history}
          keyOf={(state) => `${stampText(state)} ${state.record}`}
        />
      )}
    </Panel>
  );
}
