import type { SnapshotStanding } from '@tandem/telemetry/snapshot';
import { effectivePhase, snapshot } from '../../api/snapshot.ts';
import { count } from '../../format.ts';
import { Badge } from '../../parts/badge.tsx';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Panel } from '../../parts/panel.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';

type LiveProcess = SnapshotStanding['processes'][number];

const COLUMNS: readonly TableColumn<LiveProcess>[] = [
  {
    name: 'Process',
    cell: ({ kind, pid, host }) => (
      <>
        <strong>{kind}</strong> {pid} <span class="quiet">on {host}</span>
      </>
    ),
  },
  {
    name: 'Ready',
    cell: ({ ready }) => (
      <Badge tone={ready ? 'good' : 'warn'}>{ready ? 'ready' : 'not ready'}</Badge>
    ),
  },
  {
    name: 'Believes',
    cell: ({ effective }) =>
      effective === effectivePhase.value ? (
        <span class="nowrap">{effective}</span>
      ) : (
        <Badge tone="warn">{effective ?? 'not known yet'}</Badge>
      ),
  },
  { name: 'Epoch', cell: ({ epoch }) => count(epoch), isNumber: true },
  { name: 'Wants', cell: ({ desired }) => <span class="nowrap">{desired}</span> },
  { name: 'Waits for', cell: ({ waitingFor }) => waitingFor ?? <span class="quiet">nothing</span> },
  { name: 'Started', cell: ({ startedAt }) => <RelativeTime at={startedAt} /> },
];

/** Who runs, and what each believes. */
export function ProcessesPanel({ processes }: { processes: readonly LiveProcess[] }) {
  const disagreement = snapshot.value?.migration?.phase.disagreement ?? null;
  return (
    <Panel title="Processes" note={<span class="quiet">heard of within the last 15 s</span>}>
      {disagreement !== null && <p>{disagreement}</p>}
      {processes.length === 0 ? (
        <EmptyState title="No process was heard of." />
      ) : (
        <DataTable caption="Processes" columns={COLUMNS} rows={processes} keyOf={({ id }) => id} />
      )}
    </Panel>
  );
}
