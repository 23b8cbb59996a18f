import type { RecordJob, RecordXray } from '@tandem/storage/xray';
import { count } from '../../format.ts';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Panel } from '../../parts/panel.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { stampText } from '../../parts/stamp.ts';
import { hrefOf } from '../../router.ts';
import { STORE_NAMES } from '../../words.ts';

const STATES: Readonly<Record<RecordJob['state'], readonly [Tone, string]>> = {
  waiting: ['info', 'waits'],
  active: ['info', 'in hand'],
  failed: ['warn', 'is tried again'],
  dead: ['bad', 'dead letter'],
};

const COLUMNS: readonly TableColumn<RecordJob>[] = [
  {
    name: 'State',
    cell: ({ state, jobId }) => {
      const [tone, word] = STATES[state];
      const badge = <Badge tone={tone}>{word}</Badge>;
      return state === 'dead' ? <a href={hrefOf('failed-jobs', [jobId])}>{badge}</a> : badge;
    },
  },
  { name: 'To', cell: ({ direction }) => STORE_NAMES[direction] },
  { name: 'Change', cell: ({ change }) => `${change.op} to ${stampText(change)}` },
  { name: 'Since', cell: ({ since }) => <RelativeTime at={since} /> },
  { name: 'Failures', cell: ({ failures }) => count(failures), isNumber: true },
  { name: 'Last error', cell: ({ error }) => error ?? <span class="quiet">none</span> },
];

/** Changes of the record that the other store does not have yet. */
export function JobsPanel({ of: { jobs, notRelayed } }: { of: RecordXray }) {
  return (
    <Panel title="On its way">
      {notRelayed === null && (
        <p class="quiet">Whether the journal has changes that are not queued is not known.</p>
      )}
      {notRelayed !== null && notRelayed.length > 0 && (
        <p>
          In the journal and not in the queue yet:{' '}
          {notRelayed.map(({ stamp }) => stampText(stamp)).join(', ')}
        </p>
      )}
      {jobs === null && <EmptyState title="The queue can’t be read." />}
      {jobs?.length === 0 && (
        <EmptyState isGood title="No job of this record waits, and none has failed." />
      )}
      {jobs !== null && jobs.length > 0 && (
        <DataTable
          caption="Jobs of this record"
          columns={COLUMNS}
          rows={jobs}
          keyOf={({ jobId }) => jobId}
        />
      )}
    </Panel>
  );
}
