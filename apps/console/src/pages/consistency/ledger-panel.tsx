import type { LedgerEntry } from '@tandem/storage/consistency';
import { useState } from 'preact/hooks';
import { useResource } from '../../api/resource.ts';
import { snapshot } from '../../api/snapshot.ts';
import { counted } from '../../format.ts';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { CLASS_NAMES, ClassBadge, EntryState } from '../../parts/divergence-words.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { askedFor, Filters, SelectFilter, TextFilter } from '../../parts/filters.tsx';
import { Pager, usePaging } from '../../parts/pager.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Read } from '../../parts/read.tsx';
import { SubjectLink } from '../../parts/record-link.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { hrefOf } from '../../router.ts';
import { AcceptDialog } from './accept-dialog.tsx';
import { RepairDialog } from './repair-dialog.tsx';

const FILTERS = ['state', 'class', 'collection', 'record', 'run', 'foundBy'];
const ENTRIES = 25;
const READ_INTERVAL_MS = 5_000;

interface LedgerList {
  readonly entries: readonly LedgerEntry[];
  readonly next: number | null;
}

const COLUMNS: readonly TableColumn<LedgerEntry>[] = [
  { name: 'Of', cell: ({ subject }) => <SubjectLink subject={subject} /> },
  { name: 'Class', cell: (entry) => <ClassBadge of={entry.class} /> },
  { name: 'Kind', cell: ({ kind }) => kind },
  { name: 'State', cell: (entry) => <EntryState of={entry} /> },
  { name: 'Found by', cell: ({ foundBy }) => foundBy },
  { name: 'Last seen', cell: ({ lastSeen }) => <RelativeTime at={lastSeen} /> },
  {
    name: 'Detail',
    isNameHidden: true,
    cell: ({ id }) => (
      <a href={hrefOf('consistency', ['divergences', id])}>
        Both sides<span class="only-read"> of difference {id}</span>
      </a>
    ),
  },
];

const SELECTED_ACTS = {
  primary: 'Keep the primary’s side',
  secondary: 'Keep the secondary’s side',
  accept: 'Accept as they are',
} as const;
type SelectedAct = keyof typeof SELECTED_ACTS;

/** Every difference that was found, until it ended and how. */
export function LedgerPanel() {
  const query = askedFor(FILTERS);
  const paging = usePaging(query.toString());
  const [selected, setSelected] = useState<ReadonlySet<number>>(new Set());
  const [act, setAct] = useState<SelectedAct | null>(null);
  query.set('limit', `${ENTRIES}`);
  if (paging.cursor !== null) query.set('after', paging.cursor);
  const list = useResource<LedgerList>(`/divergences?${query}`, { everyMs: READ_INTERVAL_MS });
  const isNarrowed = askedFor(FILTERS).size > 0;
  const done = () => {
    setSelected(new Set());
    list.reload();
  };
  return (
    <Panel title="Differences">
      <LedgerFilters />
      {selected.size > 0 && (
        <div class="selection" role="status">
          <span>{counted(selected.size, 'difference')} selected</span>
          {Object.entries(SELECTED_ACTS).map(([name, words]) => (
            <button key={name} type="button" onClick={() => setAct(name as SelectedAct)}>
              {words} …
            </button>
          ))}
        </div>
      )}
      <Read of={list} what="the differences">
        {({ entries, next }) => (
          <>
            {entries.length === 0 ? (
              <EmptyState
                isGood={!isNarrowed}
                title={isNarrowed ? 'No difference matches.' : 'No difference is open.'}
              >
                {isNarrowed
                  ? 'Widen the filters above.'
                  : 'As far as the stores were compared, they say the same.'}
              </EmptyState>
            ) : (
              <DataTable
                caption="Differences"
                columns={COLUMNS}
                rows={entries}
                keyOf={({ id }) => id}
                selection={{
                  ...{ keys: selected, change: setSelected },
                  nameOf: (id) => `difference ${id}`,
                }}
              />
            )}
            <Pager paging={paging} next={next === null ? null : `${next}`} what="the differences" />
          </>
        )}
      </Read>
      {act === 'accept' && (
        <AcceptDialog ids={[...selected]} close={() => setAct(null)} done={done} />
      )}
      {(act === 'primary' || act === 'secondary') && (
        <RepairDialog
          title={`${SELECTED_ACTS[act]} of ${counted(selected.size, 'difference')}`}
          path="/divergences/resolve"
          body={{ ids: [...selected], keep: act }}
          close={() => setAct(null)}
          done={done}
        />
      )}
    </Panel>
  );
}

function LedgerFilters() {
  const collections = snapshot.value?.collections ?? [];
  return (
    <Filters>
      <SelectFilter label="State" name="state" any="open" options={[['all', 'open and ended']]} />
      <SelectFilter
        label="Class"
        name="class"
        options={CLASS_NAMES.filter((name) => name !== 'in-flight').map((name) => [name, name])}
      />
      <SelectFilter
        label="Collection"
        name="collection"
        options={collections.map((name) => [name, name])}
      />
      <TextFilter label="Record id" name="record" isNumber />
      <TextFilter label="Seen by run" name="run" isNumber />
      <SelectFilter
        label="Found by"
        name="foundBy"
        options={[
          ['verify', 'a comparison'],
          ['apply', 'applying a change'],
          ['shadow-read', 'a shadow read'],
        ]}
      />
    </Filters>
  );
}
