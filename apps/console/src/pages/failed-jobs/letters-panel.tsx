import { useState } from 'preact/hooks';
import { useResource } from '../../api/resource.ts';
import { count, counted } from '../../format.ts';
import { Badge } from '../../parts/badge.tsx';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { Pager, usePaging } from '../../parts/pager.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Read } from '../../parts/read.tsx';
import { RecordLink } from '../../parts/record-link.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { hrefOf } from '../../router.ts';
import { STORE_NAMES } from '../../words.ts';
import { ACTS, type AskedAct, type Letter, type LetterList, type Meant } from './letters.ts';

const PAGE_LETTERS = 50;
const READ_INTERVAL_MS = 5_000;

const COLUMNS: readonly TableColumn<Letter>[] = [
  { name: 'Record', cell: (letter) => <About of={letter} /> },
  { name: 'Act', cell: ({ change }) => change?.op ?? '–' },
  { name: 'To', cell: ({ direction }) => STORE_NAMES[direction] },
  { name: 'Cause', cell: ({ cause }) => <Badge tone="bad">{cause}</Badge> },
  {
    name: 'Error',
    cell: ({ error }) => (
      <span class="clipped" title={error}>
        {error}
      </span>
    ),
  },
  { name: 'Failures', cell: ({ failures }) => count(failures), isNumber: true },
  { name: 'Since', cell: ({ since }) => <RelativeTime at={since} /> },
  {
    name: 'Detail',
    isNameHidden: true,
    cell: (letter) => (
      <a href={hrefOf('failed-jobs', [letter.jobId])}>
        Details<span class="only-read"> of {nameOf(letter)}</span>
      </a>
    ),
  },
];

/** One by one, a page at a time; acts on the selected ones, or on all that match. */
export function LettersPanel({
  filter,
  ask,
}: {
  filter: Readonly<Record<string, string>>;
  ask: (act: AskedAct) => void;
}) {
  const query = new URLSearchParams(filter);
  const paging = usePaging(query.toString());
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  query.set('limit', `${PAGE_LETTERS}`);
  if (paging.cursor !== null) query.set('cursor', paging.cursor);
  const list = useResource<LetterList>(`/dead-letters?${query}`, { everyMs: READ_INTERVAL_MS });
  const isNarrowed = Object.keys(filter).length > 0;
  const matching: Meant = isNarrowed ? { filter } : { all: true };
  const total = list.value?.total;
  const names = new Map(list.value?.letters.map((letter) => [letter.jobId, nameOf(letter)]));
  return (
    <Panel
      title="One by one"
      note={
        total !== undefined && <span class="quiet">{counted(total, 'letter')}, latest first</span>
      }
      actions={Object.values(ACTS).map((words) => (
        <button
          key={words.act}
          type="button"
          class="secondary outline"
          onClick={() =>
            ask({ words, meant: matching, what: isNarrowed ? 'all that match' : 'all of them' })
          }
        >
          {words.verb} all{isNarrowed ? ' that match' : ''} …
        </button>
      ))}
    >
      {selected.size > 0 && (
        <div class="selection" role="status">
          <span>{counted(selected.size, 'letter')} selected</span>
          {Object.values(ACTS).map((words) => (
            <button
              key={words.act}
              type="button"
              onClick={() =>
                ask({
                  words,
                  meant: { filter: { jobIds: [...selected] } },
                  what: 'the selected ones',
                })
              }
            >
              {words.verb} selected …
            </button>
          ))}
          <button type="button" class="secondary outline" onClick={() => setSelected(new Set())}>
            Select none
          </button>
        </div>
      )}
      <Read of={list} what="the letters">
        {({ letters, next }) => (
          <>
            <DataTable
              caption="Failed jobs"
              columns={COLUMNS}
              rows={letters}
              keyOf={({ jobId }) => jobId}
              selection={{
                ...{ keys: selected, change: setSelected },
                nameOf: (jobId) => names.get(jobId) ?? jobId,
              }}
            />
            <Pager paging={paging} next={next} what="failed jobs" />
          </>
        )}
      </Read>
    </Panel>
  );
}

const About = ({ of: letter }: { of: Letter }) =>
  letter.change === null ? <span>{nameOf(letter)}</span> : <RecordLink {...letter.change} />;

function nameOf({ change, key, jobId }: Letter): string {
  if (change !== null) return `${change.collection} ${change.id}`;
  return key === null ? `job ${jobId}` : `key ${key.key}`;
}
