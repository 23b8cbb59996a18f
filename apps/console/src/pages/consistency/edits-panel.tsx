import type { ExternalEdit } from '@tandem/storage/changes';
import type { Resource } from '../../api/resource.ts';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Read } from '../../parts/read.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { hrefOf } from '../../router.ts';

export const EDIT_TONES: Readonly<Record<ExternalEdit['status'], Tone>> = {
  open: 'warn',
  adopted: 'good',
  rejected: 'quiet',
};

const COLUMNS: readonly TableColumn<ExternalEdit>[] = [
  { name: 'Status', cell: ({ status }) => <Badge tone={EDIT_TONES[status]}>{status}</Badge> },
  {
    name: 'Edit',
    cell: ({ name }) => <a href={hrefOf('consistency', ['edits', name])}>{name}</a>,
  },
  { name: 'Collection', cell: ({ collection }) => collection },
  { name: 'Found', cell: ({ at }) => <RelativeTime at={at} /> },
  { name: 'What it did', cell: whatOf },
];

/** Edits of the JSON files that something else made: by hand, or by the legacy application. */
export function EditsPanel({ of: edits }: { of: Resource<readonly ExternalEdit[]> }) {
  return (
    <Panel title="Edits from outside">
      <Read of={edits} what="the edits">
        {(found) =>
          found.length === 0 ? (
            <EmptyState isGood title="Nobody else has written the JSON files." />
          ) : (
            <DataTable
              caption="Edits from outside"
              columns={COLUMNS}
              rows={found.toReversed()}
              keyOf={({ name }) => name}
            />
          )
        }
      </Read>
    </Panel>
  );
}

/** `2 added, 1 changed`, or why it can't be told. */
export function whatOf({ added, changed, removed, withoutId, problem }: ExternalEdit): string {
  if (problem !== undefined) return problem;
  const counts = [
    [added.length + withoutId, 'added'],
    [changed.length, 'changed'],
    [removed.length, 'removed'],
  ] as const;
  const told = counts.filter(([number]) => number > 0);
  return told.length === 0
    ? 'nothing of any record'
    : told.map(([number, word]) => `${number} ${word}`).join(', ');
}
