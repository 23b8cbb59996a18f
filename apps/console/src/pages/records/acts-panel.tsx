import type { RecordAct } from '@tandem/storage/xray';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { Panel } from '../../parts/panel.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { stampText } from '../../parts/stamp.ts';

const COLUMNS: readonly TableColumn<RecordAct>[] = [
  { name: 'At', cell: ({ at }) => <RelativeTime at={at} /> },
  { name: 'By', cell: ({ actor }) => actor },
  { name: 'Act', cell: ({ action }) => action },
  { name: 'Version', cell: (act) => stampText(act) },
  { name: 'Reason', cell: ({ reason }) => reason },
];

/** What operators did to the record's dead letters. */
export function ActsPanel({ acts }: { acts: readonly RecordAct[] }) {
  if (acts.length === 0) return null;
  return (
    <Panel title="What operators did to its failed jobs">
      <DataTable
        caption="Acts"
        columns={COLUMNS}
        rows={acts}
        keyOf={(act) => `${act.at} ${act.action} ${stampText(act)}`}
      />
    </Panel>
  );
}
