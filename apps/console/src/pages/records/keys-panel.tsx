import type { RecordXray } from '@tandem/storage/xray';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { JsonText } from '../../parts/json-text.tsx';
import { Panel } from '../../parts/panel.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { STORE_NAMES } from '../../words.ts';

type KnownKey = RecordXray['keys'][number];

const COLUMNS: readonly TableColumn<KnownKey>[] = [
  { name: 'Key', cell: ({ key }) => <code>{key}</code> },
  { name: 'Known to', cell: ({ knownTo }) => knownTo.map((one) => STORE_NAMES[one]).join(', ') },
  { name: 'At', cell: ({ at }) => <RelativeTime at={at} /> },
  { name: 'Answer', cell: ({ outcome }) => <JsonText summary="Show" value={outcome} /> },
];

/** Idempotency keys that named a change of the record. */
export function KeysPanel({ keys }: { keys: readonly KnownKey[] }) {
  if (keys.length === 0) return null;
  return (
    <Panel title="Idempotency keys">
      <DataTable caption="Keys" columns={COLUMNS} rows={keys} keyOf={({ key }) => key} />
    </Panel>
  );
}
