import type { LedgerEntry } from '@tandem/storage/consistency';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { ClassBadge, EntryState } from '../../parts/divergence-words.tsx';
import { Panel } from '../../parts/panel.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { hrefOf } from '../../router.ts';

const COLUMNS: readonly TableColumn<LedgerEntry>[] = [
  { name: 'Class', cell: (entry) => <ClassBadge of={entry.class} /> },
  { name: 'State', cell: (entry) => <EntryState of={entry} /> },
  { name: 'Found by', cell: ({ foundBy }) => foundBy },
  { name: 'First seen', cell: ({ firstSeen }) => <RelativeTime at={firstSeen} /> },
  {
    name: 'Detail',
    isNameHidden: true,
    cell: ({ id }) => <a href={hrefOf('consistency', ['divergences', id])}>Both sides</a>,
  },
];

/** What the ledger has of the record. */
export function DivergencesPanel({ entries }: { entries: readonly LedgerEntry[] }) {
  if (entries.length === 0) return null;
  return (
    <Panel title="Differences that were found">
      <DataTable
        caption="Differences of this record"
        columns={COLUMNS}
        rows={entries}
        keyOf={({ id }) => id}
      />
    </Panel>
  );
}
