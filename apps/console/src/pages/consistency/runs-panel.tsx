import type { ListedVerify } from '@tandem/storage/postgres';
import { useResource } from '../../api/resource.ts';
import { count, duration } from '../../format.ts';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Pager, usePaging } from '../../parts/pager.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Read } from '../../parts/read.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { hrefOf } from '../../router.ts';
import { STORE_NAMES } from '../../words.ts';

const RUNS = 10;
const READ_INTERVAL_MS = 5_000;

interface RunList {
  readonly runs: readonly ListedVerify[];
  readonly next: number | null;
}

export const OUTCOME_TONES: Readonly<Record<string, Tone>> = {
  clean: 'good',
  differences: 'bad',
  inconclusive: 'warn',
};

const COLUMNS: readonly TableColumn<ListedVerify>[] = [
  {
    name: 'Run',
    cell: ({ id, finishedAt }) =>
      finishedAt === null ? `${id}` : <a href={hrefOf('consistency', ['runs', id])}>Run {id}</a>,
  },
  {
    name: 'Outcome',
    cell: ({ outcome }) =>
      outcome === null ? (
        <Badge tone="info">under way, or cut off</Badge>
      ) : (
        <Badge tone={OUTCOME_TONES[outcome] ?? 'quiet'}>{outcome}</Badge>
      ),
  },
  { name: 'Began', cell: ({ startedAt }) => <RelativeTime at={startedAt} /> },
  {
    name: 'Took',
    cell: ({ startedAt, finishedAt }) =>
      finishedAt === null ? '–' : duration(Date.parse(finishedAt) - Date.parse(startedAt)),
  },
  { name: 'Of', cell: ({ mode }) => (mode === 'full' ? 'everything' : 'what changed') },
  { name: 'Primary', cell: ({ primary }) => STORE_NAMES[primary] },
  { name: 'Looked at', cell: ({ seen }) => count(seen), isNumber: true },
  { name: 'Differences', cell: ({ counts }) => countsText(counts) },
];

/** Every comparison there was. */
export function RunsPanel() {
  const paging = usePaging('runs');
  const before = paging.cursor === null ? '' : `&before=${paging.cursor}`;
  const list = useResource<RunList>(`/verify/runs?limit=${RUNS}${before}`, {
    everyMs: READ_INTERVAL_MS,
  });
  return (
    <Panel
      title="Comparisons"
      note={<span class="quiet">clean ones of what changed stay a day</span>}
    >
      <Read of={list} what="the comparisons">
        {({ runs, next }) => (
          <>
            {runs.length === 0 ? (
              <EmptyState title="The stores have not been compared yet." />
            ) : (
              <DataTable
                caption="Comparisons"
                columns={COLUMNS}
                rows={runs}
                keyOf={({ id }) => id}
              />
            )}
            <Pager paging={paging} next={next === null ? null : `${next}`} what="the comparisons" />
          </>
        )}
      </Read>
    </Panel>
  );
}

/** `2 divergent, 1 fork`; `none`. */
export function countsText(counts: Readonly<Record<string, number>> | null): string {
  const told = Object.entries(counts ?? {}).filter(([, number]) => number > 0);
  if (counts === null) return '–';
  return told.length === 0 ? 'none' : told.map(([name, n]) => `${count(n)} ${name}`).join(', ');
}
